"""What people and programs read: sections, pages, comments, formats and differences."""
