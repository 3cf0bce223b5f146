"""Attribution: which places of the picture made this decision."""

from pellucid.methods.attribution.cam import cam
from pellucid.methods.attribution.deconvnet import deconvnet
from pellucid.methods.attribution.grad_cam import grad_cam
from pellucid.methods.attribution.gradient import gradient
from pellucid.methods.attribution.gradient_times_input import gradient_times_input
from pellucid.methods.attribution.guided_backprop import guided_backprop
from pellucid.methods.attribution.integrated_gradients import integrated_gradients
from pellucid.methods.attribution.occlusion import occlusion
from pellucid.methods.attribution.occlusion_labels import occlusion_labels

__all__ = [
    "cam",
    "deconvnet",
    "grad_cam",
    "gradient",
    "gradient_times_input",
    "guided_backprop",
    "integrated_gradients",
    "occlusion",
    "occlusion_labels",
]
