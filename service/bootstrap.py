"""Settings → ready objects; the one place where the parts are put together."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from service.artifacts import load_classifier, load_heads
from service.audit import AuditLog
from service.core.assess import Chain
from service.core.classify import Classifier
from service.core.errors import BundleError
from service.core.labels import HEADS, Names, reported_names
from service.core.policy import Policy
from service.core.reading import build_tools
from service.policy_bundle import load_policy
from service.registry import Registry
from service.settings import Settings

if TYPE_CHECKING:
    from service.store.feedback import FeedbackStore


def build_registry(settings: Settings) -> Registry:
    """The model versions of this deployment."""
    return Registry(settings.models_dir, settings.signing_key, build_audit(settings))


def build_audit(settings: Settings) -> AuditLog:
    """The audit log of this deployment."""
    return AuditLog(settings.audit_log, settings.signing_key)


def build_taxonomy(settings: Settings) -> dict[str, Names]:
    """The labels of every head, with their names, as the active model gives them.

    Raises:
        BundleError: there is no active model, or it cannot be used.
    """
    registry = build_registry(settings)
    folder = registry.folder(settings.model_version or registry.active_version())
    return reported_names({head.name: head.names for head in load_heads(folder) if head.names})


def build_feedback(settings: Settings) -> "FeedbackStore":
    """The corrections of this deployment; its database is made or migrated where it must be.

    Raises:
        DatabaseError: the database cannot be reached.
    """
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415 — slow to import, and not for scoring

    from service.store.database import DatabaseError, open_database  # noqa: PLC0415
    from service.store.feedback import FeedbackStore  # noqa: PLC0415

    try:
        return FeedbackStore(open_database(settings.database_url), settings.keep_raw_text)
    except SQLAlchemyError as error:
        raise DatabaseError("数据库不可用。", "请检查 YANPAN_DATABASE_URL。") from error


def build_chain(settings: Settings) -> Chain:
    """Loads policy, dictionaries and model: about a second, once a process.

    Raises:
        PolicyError, BundleError: the policy or the model bundle cannot be used.
    """
    policy = load_policy(settings.policy_dir)
    version = settings.model_version or build_registry(settings).active_version()
    normalizer, segmenter = build_tools(policy)
    return Chain(
        normalizer=normalizer,
        segmenter=segmenter,
        classifier=_load_model(settings, version),
        policy=policy,
        model_version=version,
    )


def with_model(chain: Chain, settings: Settings, version: str) -> Chain:
    """The same policy and dictionaries with another model.

    Raises:
        BundleError: the model bundle cannot be used.
    """
    return replace(chain, classifier=_load_model(settings, version), model_version=version)


def _load_model(settings: Settings, version: str) -> Classifier:
    folder = build_registry(settings).folder(version)
    classifier = load_classifier(folder, signing_key=settings.signing_key)
    if missing := [head for head in HEADS if head not in classifier.labels]:
        raise BundleError(f"模型 {version} 缺少 {missing}。", "请用含全部标签的样本训练。")
    return classifier


def with_policy(chain: Chain, policy: Policy) -> Chain:
    """The same model under another policy; dictionaries are loaded anew only where they differ."""
    normalizer, segmenter = chain.normalizer, chain.segmenter
    if _read_with(policy) != _read_with(chain.policy):
        normalizer, segmenter = build_tools(policy)
    return replace(chain, normalizer=normalizer, segmenter=segmenter, policy=policy)


def _read_with(policy: Policy) -> tuple[Sequence[object], ...]:
    """What of a policy texts are read with."""
    return policy.search_terms, policy.disguises, policy.lookalikes, policy.dictionary
