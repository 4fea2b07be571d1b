"""Views of the command map that people keep under a name: filters, colours, place and layers."""
