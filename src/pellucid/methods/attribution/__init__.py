"""Attribution: which parts of an image decide a prediction."""

from pellucid.methods.attribution.ablation_cam import ablation_cam
from pellucid.methods.attribution.blur_integrated_gradients import blur_integrated_gradients
from pellucid.methods.attribution.cam import cam
from pellucid.methods.attribution.deconvnet import deconvnet
from pellucid.methods.attribution.deep_lift import deep_lift
from pellucid.methods.attribution.eigen_cam import eigen_cam
from pellucid.methods.attribution.excitation_backprop import excitation_backprop
from pellucid.methods.attribution.expected_gradients import expected_gradients
from pellucid.methods.attribution.extremal_perturbation import extremal_perturbation
from pellucid.methods.attribution.finer_cam import finer_cam
from pellucid.methods.attribution.full_grad import full_grad
from pellucid.methods.attribution.grad_cam import grad_cam
from pellucid.methods.attribution.grad_cam_plus_plus import grad_cam_plus_plus
from pellucid.methods.attribution.gradient import gradient
from pellucid.methods.attribution.gradient_times_input import gradient_times_input
from pellucid.methods.attribution.guided_backprop import guided_backprop
from pellucid.methods.attribution.guided_grad_cam import guided_grad_cam
from pellucid.methods.attribution.guided_integrated_gradients import guided_integrated_gradients
from pellucid.methods.attribution.hires_cam import hires_cam
from pellucid.methods.attribution.integrated_gradients import integrated_gradients
from pellucid.methods.attribution.kernel_shap import kernel_shap
from pellucid.methods.attribution.layer_cam import layer_cam
from pellucid.methods.attribution.lime import lime
from pellucid.methods.attribution.lrp import lrp
from pellucid.methods.attribution.occlusion import occlusion
from pellucid.methods.attribution.occlusion_labels import occlusion_labels
from pellucid.methods.attribution.occlusion_products import occlusion_products
from pellucid.methods.attribution.occlusion_rank import occlusion_rank
from pellucid.methods.attribution.occlusion_sizes import occlusion_sizes
from pellucid.methods.attribution.rise import rise
from pellucid.methods.attribution.score_cam import score_cam
from pellucid.methods.attribution.shapley_sampling import shapley_sampling
from pellucid.methods.attribution.smooth_grad import smooth_grad
from pellucid.methods.attribution.sobol import sobol
from pellucid.methods.attribution.x_grad_cam import x_grad_cam
from pellucid.methods.attribution.xrai import xrai

__all__ = [
    "ablation_cam",
    "blur_integrated_gradients",
    "cam",
    "deconvnet",
    "deep_lift",
    "eigen_cam",
    "excitation_backprop",
    "expected_gradients",
    "extremal_perturbation",
    "finer_cam",
    "full_grad",
    "grad_cam",
    "grad_cam_plus_plus",
    "gradient",
    "gradient_times_input",
    "guided_backprop",
    "guided_grad_cam",
    "guided_integrated_gradients",
    "hires_cam",
    "integrated_gradients",
    "kernel_shap",
    "layer_cam",
    "lime",
    "lrp",
    "occlusion",
    "occlusion_labels",
    "occlusion_products",
    "occlusion_rank",
    "occlusion_sizes",
    "rise",
    "score_cam",
    "shapley_sampling",
    "smooth_grad",
    "sobol",
    "x_grad_cam",
    "xrai",
]
