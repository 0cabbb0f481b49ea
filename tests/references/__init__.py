"""References resolved against real servers, repositories and stores; what is only a stand-in is named so."""
