"""The clock of Vietnam: UTC+7 the whole year."""

from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
