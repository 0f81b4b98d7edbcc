"""One `dothi.toml`: every section, composed from the packages that own them."""

import msgspec

from dothi.alarms.settings import AlarmSettings
from dothi.api.settings import ApiSettings
from dothi.app.config.sections import AccessSettings, LogSettings, ProvinceSettings, ServerSettings
from dothi.app.example.settings import ExampleSettings
from dothi.console.settings import ConsoleSettings
from dothi.facades.cap.settings import WarningSettings
from dothi.facades.ngsi_ld.settings import NgsiLdSettings
from dothi.incidents.settings import IncidentSettings
from dothi.intake.files.settings import FilesSettings
from dothi.intake.http.settings import HttpIntakeSettings
from dothi.intake.mqtt.settings import MqttSettings
from dothi.intake.pull.settings import PullSettings
from dothi.live.settings import LiveSettings
from dothi.notify.settings import NoticeSettings
from dothi.pipeline.settings import PipelineSettings
from dothi.storage.lake.settings import LakeSettings


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole configuration; every section has complete defaults."""

    server: ServerSettings = ServerSettings()
    access: AccessSettings = AccessSettings()
    log: LogSettings = LogSettings()
    province: ProvinceSettings = ProvinceSettings()
    pipeline: PipelineSettings = PipelineSettings()
    lake: LakeSettings = LakeSettings()
    mqtt: MqttSettings = MqttSettings()
    intake_http: HttpIntakeSettings = HttpIntakeSettings()
    files: FilesSettings = FilesSettings()
    ngsi_ld: NgsiLdSettings = NgsiLdSettings()
    notices: NoticeSettings = NoticeSettings()
    pull: PullSettings = PullSettings()
    incidents: IncidentSettings = IncidentSettings()
    warnings: WarningSettings = WarningSettings()
    live: LiveSettings = LiveSettings()
    alarms: AlarmSettings = AlarmSettings()
    api: ApiSettings = ApiSettings()
    console: ConsoleSettings = ConsoleSettings()
    example: ExampleSettings = ExampleSettings()
