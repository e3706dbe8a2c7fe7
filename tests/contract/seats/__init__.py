"""Seats that are given and taken, at two query services over one store."""
