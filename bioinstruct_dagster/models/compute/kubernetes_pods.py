"""The model process in a Kubernetes pod, which is deleted when the step ends.

Belongs here: creating, following and deleting a pod, and its end in words. Does not: the pod's
specification (pod), or what travels (travelling).
"""

import json
import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bioinstruct_dagster.models.compute.launcher import (
    Ended,
    Job,
    ModelProcessError,
    Order,
    RemoteLauncher,
)
from bioinstruct_dagster.models.compute.pod import SECONDS_TO_END, pod_of
from bioinstruct_dagster.models.compute.pod_log import SECONDS_TO_ANSWER, read_log
from bioinstruct_dagster.models.compute.pod_states import fault_of, waiting
from bioinstruct_dagster.settings.compute import ComputeSettings

_SECONDS_BETWEEN_LOOKS = 2.0
_SECONDS_OF_OUTAGE = 900.0
# Reasons of a container that does not start. An image may come after a while; after this, it won't.
_NO_START = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "CreateContainerConfigError")
_SECONDS_TO_PULL = 600.0
_NOT_FOUND, _CONFLICT = 404, 409
_ATTEMPT = "bioinstruct-dagster/attempt"


class KubernetesLauncher(RemoteLauncher):
    """Runs the model process in a pod."""

    def job(self, order: Order) -> "PodJob":
        """The pod for an order."""
        return PodJob(order, self._settings)


class PodJob(Job):
    """A pod with the model process."""

    def __init__(self, order: Order, settings: ComputeSettings) -> None:
        self._order = order
        self._settings = settings
        self._name = order.work
        self._api = _connected()
        self._uid: str | None = None  # of our pod: another may take its name
        self._attempt = uuid.uuid4().hex
        self._begun = False
        self._stopping = False

    def start(self) -> None:
        """Create the pod. A pod that an earlier start of the same work left is deleted first."""
        from kubernetes.client import ApiException

        pod = pod_of(self._order, self._settings)
        pod.metadata.labels[_ATTEMPT] = self._attempt
        self._begun = True
        with self._stated("be created"):
            try:
                self._uid = self._create(pod)
            except ApiException as error:
                if error.status != _CONFLICT:
                    raise
                self._order.log(f"Pod {self._name} of an earlier start is deleted first.")
                self._delete(None)
                self._uid = self._create(pod)
        self._order.log(f"Pod {self._name} was created in namespace {self._settings.namespace}.")

    def lines(self) -> Iterator[str]:
        """The lines of the pod's log. The log is read anew, without repeating, when it breaks."""
        self._await_start()
        last = ""
        broken_since: float | None = None
        while not self._stopping:
            # The pod is looked at first: what it wrote before it ended is then in the log.
            over = self.ended() is not None
            try:
                for stamp, line in read_log(self._api, self._name, self._settings.namespace, last):
                    last, broken_since = stamp, None
                    yield line
            except Exception as error:  # urllib3 and the client have many
                if _is_silence(error):
                    continue
                # A pod that never ran has no log. What the log lost at its end, the exchange has.
                if over or _status(error) == _NOT_FOUND:
                    return
                if broken_since is None:
                    broken_since = time.monotonic()
                    self._order.log(f"The log of pod {self._name} broke off; it is read again.")
                if time.monotonic() - broken_since > _SECONDS_OF_OUTAGE:
                    raise ModelProcessError(self._unreachable(error)) from error
            if over:
                return
            time.sleep(_SECONDS_BETWEEN_LOOKS)

    def ended(self) -> Ended | None:
        """How the pod ended, in words where it was not the process itself."""
        from kubernetes.client import ApiException

        try:
            pod = self._pod()
        except ApiException as error:
            if error.status == _NOT_FOUND:
                return Ended(
                    f"Pod {self._name} was deleted from outside, or its node is gone. Another "
                    "start of the same step also deletes it. Run the step again.",
                    explained=True,
                )
            return None
        except Exception:  # noqa: BLE001  # no answer now; the log's reader gives up in the end
            return None
        if pod.status.phase == "Succeeded":
            return Ended()
        return fault_of(pod, self._settings) if pod.status.phase == "Failed" else None

    def stop(self) -> None:
        """Delete the pod, and wait until it is gone."""
        self._stopping = True
        if not self._begun:
            return
        with self._stated("be deleted"):
            self._uid = self._uid or self._uid_of_unanswered()
            if self._uid:
                self._delete(self._uid)

    def _create(self, pod: Any) -> str:
        made = self._api.create_namespaced_pod(
            self._settings.namespace, pod, _request_timeout=SECONDS_TO_ANSWER
        )
        return str(made.metadata.uid)

    def _uid_of_unanswered(self) -> str | None:
        """The uid of our pod if the run was cancelled before the server answered."""
        from kubernetes.client import ApiException

        try:
            pod = self._pod()
        except ApiException as error:
            if error.status == _NOT_FOUND:
                return None
            raise
        ours = (pod.metadata.labels or {}).get(_ATTEMPT) == self._attempt
        return str(pod.metadata.uid) if ours else None

    def _pod(self) -> Any:
        pod = self._api.read_namespaced_pod(
            self._name, self._settings.namespace, _request_timeout=SECONDS_TO_ANSWER
        )
        if self._uid and pod.metadata.uid != self._uid:
            from kubernetes.client import ApiException

            raise ApiException(status=_NOT_FOUND, reason="another pod has the name")
        return pod

    def _delete(self, uid: str | None) -> None:
        """Delete the pod with this name, or only if it has this uid, and wait until it is gone."""
        from kubernetes.client import ApiException, V1DeleteOptions, V1Preconditions

        options = V1DeleteOptions(
            grace_period_seconds=SECONDS_TO_END,
            preconditions=V1Preconditions(uid=uid) if uid else None,
        )
        give_up = time.monotonic() + 4 * SECONDS_TO_END
        try:
            self._api.delete_namespaced_pod(
                self._name,
                self._settings.namespace,
                body=options,
                _request_timeout=SECONDS_TO_ANSWER,
            )
            while time.monotonic() < give_up:
                if uid is None:
                    uid = self._pod().metadata.uid
                if self._pod().metadata.uid != uid:
                    return
                time.sleep(_SECONDS_BETWEEN_LOOKS)
        except ApiException as error:
            if error.status in {_NOT_FOUND, _CONFLICT}:  # it is gone, or another has its name
                return
            raise
        raise ModelProcessError(
            f"Pod {self._name} was deleted, but it is still there. Its node may not answer. Look "
            f"at it with kubectl -n {self._settings.namespace} describe pod {self._name}."
        )

    def _await_start(self) -> None:
        """Wait for the container, and log each reason why it does not start yet."""
        told = ""
        hopeless_since: float | None = None
        while not self._stopping and self.ended() is None:
            try:
                pod = self._pod()
            except Exception as error:  # noqa: BLE001  # no answer now
                told = self._tell(str(error).splitlines()[0], told)
            else:
                reason, message = waiting(pod)
                if not reason:
                    return
                told = self._tell(f"{reason}: {message}" if message else reason, told)
                if reason not in _NO_START:
                    hopeless_since = None
                elif hopeless_since is None:
                    hopeless_since = time.monotonic()
                elif time.monotonic() - hopeless_since > _SECONDS_TO_PULL:
                    raise ModelProcessError(
                        f"Pod {self._name} does not start: {reason}: {message} Check "
                        "BIOINSTRUCT_KUBERNETES_IMAGE, BIOINSTRUCT_KUBERNETES_SECRET, and whether "
                        "the cluster may pull the image."
                    )
            time.sleep(_SECONDS_BETWEEN_LOOKS)

    def _tell(self, reason: str, told: str) -> str:
        if reason != told:
            self._order.log(f"Pod {self._name} waits: {reason}")
        return reason

    @contextmanager
    def _stated(self, what: str) -> Iterator[None]:
        from kubernetes.client import ApiException
        from urllib3.exceptions import HTTPError

        try:
            yield
        except ApiException as error:
            raise ModelProcessError(
                f"Pod {self._name} can't {what} in namespace {self._settings.namespace}: "
                f"{error.status} {error.reason}. {_reason(error)} deploy/README.md lists the "
                "rights that the service account of Dagster needs."
            ) from error
        except HTTPError as error:
            raise ModelProcessError(self._unreachable(error)) from error

    def _unreachable(self, error: Exception) -> str:
        return (
            f"The Kubernetes API server does not answer ({type(error).__name__}: {error}). Check "
            f"the kubeconfig. Pod {self._name} in namespace {self._settings.namespace} may still "
            "run; kubectl delete pod ends it."
        )


def _connected() -> Any:
    """A client for the cluster of the kubeconfig, or for the one that this process runs in."""
    from kubernetes import client, config

    configuration = client.Configuration()
    # The client reads this variable only once, when it is imported.
    named = os.environ.get("KUBECONFIG")
    given = {"config_file": named} if named else {}
    try:
        config.load_config(client_configuration=configuration, **given)
    except (config.ConfigException, OSError) as error:
        raise ModelProcessError(
            f"BIOINSTRUCT_COMPUTE=kubernetes: there is no cluster to use ({error}). Name it in a "
            "kubeconfig (KUBECONFIG or ~/.kube/config), or run Dagster in the cluster."
        ) from error
    return client.CoreV1Api(client.ApiClient(configuration))


def _status(error: Exception) -> int | None:
    return getattr(error, "status", None)


def _is_silence(error: Exception) -> bool:
    from urllib3.exceptions import ReadTimeoutError

    return isinstance(error, ReadTimeoutError)


def _reason(error: Any) -> str:
    try:
        return str(json.loads(error.body)["message"])
    except (TypeError, ValueError, KeyError):
        return ""
