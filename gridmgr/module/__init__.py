"""Modules (模块): how a street regroups its work, who leads each, and where a matter goes that nobody owns."""
