"""Codes that units may be given: free ones, that fit the scheme, none of them ever used."""
