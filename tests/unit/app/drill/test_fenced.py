"""What a drill leaves of the configuration that it is started with."""

from dothi.app.config.settings import Settings
from dothi.app.drill.run import fenced
from dothi.intake.files.settings import FilesSettings
from dothi.intake.mqtt.settings import MqttSettings
from dothi.intake.pull.settings import CapFeed, PullSettings


def test_nothing_is_fetched_taken_or_sent() -> None:
    settings = Settings(
        mqtt=MqttSettings(mode="external"),
        pull=PullSettings(connectors={"feed": CapFeed(base_url="http://example.org/feed")}),
        files=FilesSettings(folder="/srv/incoming"),
    )
    left = fenced(settings)
    assert left.mqtt.mode == "embedded"
    assert left.pull.connectors == {}
    assert left.files.folder == ""
    assert left.notices.capture
