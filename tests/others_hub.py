"""The hub of flask-websub, on a port of this machine: `python others_hub.py PORT DATABASE`."""

import sys

from celery import Celery
from flask import Flask
from flask_websub.hub import Hub, SQLite3HubStorage

port, database = sys.argv[1:]
celery = Celery()
# What it would leave to a worker, it does at once.
celery.conf.task_always_eager = True
app = Flask("hub")
app.config["PUBLISH_SUPPORTED"] = True
hub = Hub(SQLite3HubStorage(database), celery, **app.config)
app.register_blueprint(hub.build_blueprint(url_prefix="/hub"))
app.run(port=int(port))
