"""The pages of downloads and what a person can do on them."""
