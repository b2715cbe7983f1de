"""Settings of a deployment, read from the environment (prefix `YANPAN_`)."""

from pathlib import Path
from typing import Final, Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

_ROOT: Final = Path(__file__).resolve().parent.parent


class Settings(BaseSettings):
    """What a deployment may choose; every field is a variable, e.g. `YANPAN_MODELS_DIR`.

    Attributes:
        models_dir: the folder with one folder a model version and the file `ACTIVE`.
        model_version: the version to serve; none means the one that `ACTIVE` names.
        policy_dir: the policy bundle.
        database_url: where corrections are kept, as SQLAlchemy writes it.
        keep_raw_text: whether corrections are stored with the personal data that is in them.
        signing_key: if set, a model bundle serves only with its manifest signed by this key, and
            the digests of the audit log are HMACs by it.
        keys_file: the API keys, made by `yanpan keys add`; without any the service asks for none.
        audit_log: who activated, created, revoked, forced or purged what.
        rate_limit: requests a second of one API key, all processes together; 0 for no limit.
        longest_wait: seconds that a request may wait to be begun; then it is shed (503).
        most_in_flight: requests that one process works on at a time; more are shed.
        request_timeout: seconds after which a request is answered 503, done or not.
        body_timeout: seconds in which headers, and then the body, must have come.
        keep_days: days after which `yanpan feedback purge` deletes corrections; 0 for never.
        log_format: `json`, one object a line, or `text`.
        otlp_endpoint: where traces go, if anywhere; needs the extra `otel`.
    """

    model_config = SettingsConfigDict(
        env_prefix="YANPAN_", frozen=True, protected_namespaces=("settings_",)
    )

    models_dir: Path = _ROOT / "models"
    model_version: str | None = None
    policy_dir: Path = _ROOT / "service" / "policy"
    database_url: str = Field(f"sqlite:///{_ROOT / 'var' / 'yanpan.db'}", repr=False)
    keep_raw_text: bool = False
    signing_key: str | None = Field(None, repr=False)
    keys_file: Path = _ROOT / "var" / "keys.json"
    audit_log: Path = _ROOT / "var" / "audit.jsonl"
    rate_limit: float = Field(100.0, ge=0)
    longest_wait: float = Field(0.5, gt=0)
    most_in_flight: int = Field(64, ge=1)
    request_timeout: float = Field(60.0, gt=0)
    body_timeout: float = Field(10.0, gt=0)
    keep_days: int = Field(0, ge=0)
    log_format: Literal["json", "text"] = "json"
    otlp_endpoint: str | None = None
