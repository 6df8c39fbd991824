"""What a round of training starts from: a model, the last round, or a network that knows nothing yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from napari_mouse_seg.errors import PlanError, TrainingError
from napari_mouse_seg.plans import AreaTargets, BoundaryTargets, DistanceTargets

if TYPE_CHECKING:
    from napari_mouse_seg.networks import Model, ModelCard
    from napari_mouse_seg.plans import ProjectPlan, RetrainPlan, TargetsPlan
    from napari_mouse_seg.projects import Project

NEW_PREFIX = "new:"
_NEW = {
    "compact": "small U-Net, fast without a GPU",
    "unet/resnet18": "U-Net with ResNet-18",
    "unet/resnet34": "U-Net with ResNet-34",
    "unetplusplus/resnet18": "U-Net++ with ResNet-18",
    "deeplabv3plus/resnet34": "DeepLabV3+ with ResNet-34",
}
_IMAGENET = "+imagenet"


@dataclass(frozen=True, slots=True)
class Start:
    """What a round starts from.

    Attributes
    ----------
    card
        Of the base, or of a network that is not trained yet; its targets may be others than the project's.
    name
        For people.
    model
        Whose weights are taken; None for random or ImageNet weights.
    encoder_weights
        Name of pretrained weights of the encoder, for a new network; None for random ones.
    learnt
        Ids of the project's patches that the model has learnt from.
    """

    card: ModelCard
    name: str
    model: Model | None = None
    encoder_weights: str | None = None
    learnt: frozenset[str] = frozenset()


def new_networks() -> dict[str, str]:
    """Return what can be trained from scratch: value for ``ProjectPlan.base`` → description."""
    names = {f"{NEW_PREFIX}{name}": f"New: {text}" for name, text in _NEW.items()}
    pretrained = {
        f"{NEW_PREFIX}{name}{_IMAGENET}": f"New: {text}, ImageNet weights (downloaded)"
        for name, text in _NEW.items()
        if "/" in name
    }
    return names | pretrained


def find_start(project: Project, plan: RetrainPlan, base: str) -> Start:
    """Return the last round if the plan says so and there is one, and the base otherwise.

    Raises
    ------
    ModelError
        If the base model is missing or damaged.
    PlanError
        If there is no such new network.
    TrainingError
        If there is nothing to train in the base model.
    """
    from napari_mouse_seg.networks import find_model, load_model

    if plan.start_from == "last" and project.plan.rounds:
        last = max(project.plan.rounds, key=lambda entry: entry.number)
        model = load_model(project.round_file(last.number))
        return Start(model.card, last.name, model, learnt=last.learnt)
    if base.startswith(NEW_PREFIX):
        return _new_network(base, _n_channels(project))
    model = find_model(base)
    if not model.card.is_trainable:
        raise TrainingError(
            f"There is nothing to train in the model {model.card.name}: it is no network. Start from another model, or "
            "from a new network."
        )
    return Start(model.card, model.card.name, model, learnt=_learnt(project, model))


def _learnt(project: Project, model: Model) -> frozenset[str]:
    """Return the patches that a model has learnt from, which may be one of the project's rounds chosen as the base."""
    rounds = (
        entry for entry in project.plan.rounds if project.round_file(entry.number).resolve() == model.path.resolve()
    )
    return next((entry.learnt for entry in rounds), frozenset())


def rehearses(base: str, card: ModelCard) -> bool:
    """Return whether there are samples of a base model that a network with this card can see."""
    from napari_mouse_seg.networks import find_model
    from napari_mouse_seg.training import rehearsal_file

    if not rehearsal_file(base).exists():
        return False
    return find_model(base).card.architecture.in_channels == card.architecture.in_channels


def targets_of(project: ProjectPlan, plan: RetrainPlan, base: ModelCard) -> TargetsPlan:
    """Return what a model of the project is taught; objects as the base does it, if it does and the plan is open."""
    if project.kind == "areas":
        return AreaTargets.build(classes=project.classes)
    targets = DistanceTargets() if isinstance(base.targets, AreaTargets) else base.targets
    if plan.scheme not in ("base", targets.kind):
        targets = BoundaryTargets() if plan.scheme == "boundary" else DistanceTargets()
    width = plan.boundary_half_width_px
    return targets if width is None else targets.replace(boundary_half_width_px=width)


def _n_channels(project: Project) -> Literal[1, 3]:
    """Return how many channels the image has, as its patches were cut: a network of its own should see its colours."""
    patches = [patch for patch in project.plan.patches if patch.id not in project.broken]
    return 3 if patches and len(project.pixels(patches[0].id)) == 3 else 1


def _new_network(base: str, in_channels: Literal[1, 3]) -> Start:
    from napari_mouse_seg.networks import ArchitecturePlan, CompactPlan, ModelCard

    name = base.removeprefix(NEW_PREFIX)
    weights = "imagenet" if name.endswith(_IMAGENET) else None
    name = name.removesuffix(_IMAGENET)
    if name not in _NEW:
        raise PlanError(f"There is no new network {base!r}; choose one of {', '.join(new_networks())}.", "base")
    family, _, encoder = name.partition("/")
    architecture = (
        CompactPlan(in_channels=in_channels)
        if family == "compact"
        else ArchitecturePlan.build(
            family=family, encoder=encoder, in_channels=in_channels, decoder_channels=(128, 64, 32, 16, 16)
        )
    )
    return Start(ModelCard(name=name, summary="Not trained yet.", architecture=architecture), base, None, weights)
