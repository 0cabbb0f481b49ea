"""Resolves the references of specs over the network and writes what they meant into locks."""
