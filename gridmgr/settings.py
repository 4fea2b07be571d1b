"""Every setting of the product, read from the environment under one prefix, `GRIDMGR_`."""

import os
from functools import lru_cache
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


def default_home() -> Path:
    """Return where data live by default: the system's place for root, the user's place for others."""
    if os.geteuid() == 0:
        return Path("/var/lib/gridmgr")
    return Path(os.environ.get("XDG_DATA_HOME", Path.home() / ".local" / "share")) / "gridmgr"


class Settings(BaseSettings):
    """The settings; each is documented here and listed in the README."""

    model_config = SettingsConfigDict(env_prefix="GRIDMGR_", extra="ignore")

    environment: Literal["development", "production"] = Field(
        "development", description="production refuses demonstration accounts and plain-http cookies"
    )
    home: Path = Field(
        default_factory=default_home, description="where the private cluster and all data live"
    )
    database_url: str | None = Field(
        None, description="an existing PostgreSQL + PostGIS instead of the private cluster"
    )
    host: str = Field("127.0.0.1", description="address the web server listens on")
    port: int = Field(8000, description="port the web server listens on")
    language: Literal["zh", "en"] = Field("zh", description="language before a user has chosen one")
    time_zone: str = Field("Asia/Shanghai", description="zone of working hours, dates and screens")
    base_map_url: str | None = Field(
        None, description="XYZ address of an intranet base map, e.g. /xyz/{z}/{x}/{y}"
    )
    upload_limit_mb: int = Field(512, description="largest accepted upload in megabytes")
    file_limit_mb: int = Field(20, ge=1, description="largest photo or document of a case in megabytes")
    store_url: str | None = Field(
        None,
        pattern=r"^s3://[^\s/@]+(/[^\s@]*)?$",
        description="s3://bucket/prefix for files, instead of a folder of home",
    )
    store_endpoint: str | None = Field(None, description="address of an S3-compatible store")
    store_region: str | None = Field(None, description="its region, if it has one")
    store_key: str | None = Field(None, description="its access key")
    store_secret: SecretStr | None = Field(None, description="its secret key")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="how much is logged")
    log_format: Literal["auto", "json", "console"] = Field(
        "auto", description="auto: readable on a terminal, else one line of JSON an entry"
    )
    metrics_from: str = Field(
        "", description="networks beside loopback that may read /metrics and /readyz, such as 10.1.0.0/16"
    )
    shutdown_seconds: int = Field(
        20, description="how long running requests and jobs may take to end at a stop"
    )
    nearest_limit_m: float = Field(
        1000.0, description="how far outside the district a report may lie and still go to the nearest unit"
    )
    session_hours: int = Field(12, description="a session of a page ends this many hours after its last use")
    answer_hours: int = Field(
        48, description="answers to requests with an Idempotency-Key are kept this many hours"
    )
    rate_reads: int = Field(1200, description="reads of the API a minute for one caller; 0 for no limit")
    rate_writes: int = Field(300, description="writes a minute for one caller; 0 for no limit")
    rate_uploads: int = Field(60, description="uploads a minute for one caller; 0 for no limit")
    unserved_minutes: int = Field(
        10, ge=1, description="a rung not climbed so many minutes after it was due raises an alarm"
    )
    alarm_days: float = Field(
        365,
        ge=1,
        description="recurrence interval in days from which a cluster of the daily scan raises an alarm",
    )
    scan_permutations: int = Field(
        999, ge=99, le=99_999, description="permutations of a scan; it can tell intervals up to one more"
    )
    pieces_at_once: int = Field(
        5, ge=1, description="pieces of work (ant work) one person may be at work on at a time"
    )
    public_url: str | None = Field(
        None, pattern=r"^https?://[^\s]+$", description="where people open the pages, for links in mails"
    )
    smtp_url: str | None = Field(
        None,
        pattern=r"^(smtp|smtps|smtp\+starttls)://[^\s/]+$",
        description="the mail server: smtp[s]://user:password@host:port, smtp+starttls://…; none, no mails",
    )
    smtp_from: str = Field("gridmgr@localhost", pattern=r"^[^\r\n]+@[^\r\n]+$", description="sender of mails")
    sms_url: str | None = Field(
        None,
        pattern=r"^https?://[^\s@]+$",
        description="the gateway short messages are posted to as JSON; none, and none are sent",
    )
    sms_body: str = Field(
        '{"phone": "$phone", "content": "$text"}', description="what the gateway is posted, in JSON"
    )
    sms_token: SecretStr | None = Field(None, description="sent to the gateway as Authorization: Bearer")
    notice_days: int = Field(180, ge=1, description="read notices are removed after so many days")
    login_attempts: int = Field(5, description="failed logins allowed per name and per address in 5 minutes")

    @model_validator(mode="after")
    def _can_alarm(self) -> Self:
        """Refuse an interval that no scan can tell: nothing would ever raise an alarm."""
        if self.alarm_days > self.scan_permutations + 1:
            raise ValueError(
                f"{self.scan_permutations} permutations never tell of {self.alarm_days:g} alarm_days"
            )
        return self


@lru_cache
def settings() -> Settings:
    """Return the settings of this process, read once."""
    return Settings()
