"""Settings of a deployment, read from the environment (prefix `YANPAN_`)."""

from pathlib import Path
from typing import Final

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
        signing_key: if set, a model bundle serves only with its manifest signed by this key.
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
