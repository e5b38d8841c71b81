"""A Django project with nothing in it but rooms, sessions and users."""
