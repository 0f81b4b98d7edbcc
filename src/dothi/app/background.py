"""Tasks that nobody waits for: their failure must not stay unseen."""

import asyncio
import logging

log = logging.getLogger("dothi.app")


def report_failure(task: asyncio.Task[None]) -> None:
    """For `Task.add_done_callback`: an error that ended the task goes to the log."""
    if not task.cancelled() and task.exception() is not None:
        log.error("%s stopped", task.get_name(), exc_info=task.exception())
