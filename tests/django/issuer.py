"""The issuer of ../django.rs: makes applications, a user and tokens, announces them as one line of JSON, and serves
until its standard input ends."""

import json
import os
import sys
import tempfile
import threading
from datetime import timedelta
from wsgiref.simple_server import WSGIRequestHandler, make_server


def tokens():
    from django.contrib.auth.models import User
    from django.utils import timezone
    from oauth2_provider.models import AccessToken, Application

    ada = User.objects.create_user("ada")

    def application(name):
        return Application.objects.create(
            name=name,
            client_id=name,
            client_secret="dev-secret",
            client_type=Application.CLIENT_CONFIDENTIAL,
            authorization_grant_type=Application.GRANT_CLIENT_CREDENTIALS,
        )

    jira, wiki = application("jira"), application("wiki")

    def token(name, application=jira, user=ada, seconds=600, **more):
        AccessToken.objects.create(
            token=f"{name}-6nZOX0U1mAzvDrNnYK3jWq",
            application=application,
            user=user,
            scope="read",
            expires=timezone.now() + timedelta(seconds=seconds),
            **more,
        )
        return f"{name}-6nZOX0U1mAzvDrNnYK3jWq"

    return {
        "ours": token("ours"),
        "again": token("again"),
        "theirs": token("theirs", application=wiki),
        "machine": token("machine", user=None),
        "expired": token("expired", seconds=-60),
        # RFC 8707, which the toolkit knows: then the answer has an audience.
        "for_jira": token("for-jira", resource=["https://jira.example.com"]),
        "for_wiki": token("for-wiki", resource=["https://wiki.example.com"]),
    }


class Silent(WSGIRequestHandler):
    def log_message(self, *_):
        pass


def main(folder):
    os.environ["ISSUER_FOLDER"] = folder
    os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
    import django

    django.setup()
    from django.core.management import call_command
    from django.core.wsgi import get_wsgi_application

    call_command("migrate", verbosity=0)
    server = make_server("127.0.0.1", 0, get_wsgi_application(), handler_class=Silent)
    announced = {"issuer": f"http://127.0.0.1:{server.server_port}", "tokens": tokens()}
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(json.dumps(announced), flush=True)
    sys.stdin.read()


with tempfile.TemporaryDirectory() as folder:
    main(folder)
