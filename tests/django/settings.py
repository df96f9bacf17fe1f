"""A Django project with django-oauth-toolkit and nothing else."""

import os

SECRET_KEY = "of a database that ends with the scenario"
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "urls"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "oauth2_provider",
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.path.join(os.environ["ISSUER_FOLDER"], "db.sqlite3"),
    }
}
# Quick to hash: the secrets are the scenario's.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
