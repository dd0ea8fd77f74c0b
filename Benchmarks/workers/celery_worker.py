"""A Celery worker whose one task does nothing. Its queue is durable and of the quorum kind; acknowledged after the task."""

import os

from celery import Celery
from kombu import Exchange, Queue

NAME = os.environ["BENCH_QUEUE"]
app = Celery("bench", broker=os.environ["BENCH_AMQP"], backend=os.environ["BENCH_REDIS"])
app.conf.task_acks_late = True
app.conf.task_default_queue_type = "quorum"
app.conf.worker_prefetch_multiplier = 50
app.conf.broker_connection_retry_on_startup = True
app.conf.task_queues = [
    Queue(NAME, Exchange(NAME, type="topic"), routing_key=NAME, queue_arguments={"x-queue-type": "quorum"})]


@app.task(name="noop")
def noop():
    return None
