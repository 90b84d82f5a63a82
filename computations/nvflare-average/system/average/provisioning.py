"""Makes the kits, with NVFlare's own provisioning."""

import json
import shutil
from pathlib import Path

from nvflare.lighter.constants import CtxKey
from nvflare.lighter.entity import Project
from nvflare.lighter.impl.cert import CertBuilder
from nvflare.lighter.impl.signature import SignatureBuilder
from nvflare.lighter.impl.static_file import StaticFileBuilder
from nvflare.lighter.impl.workspace import WorkspaceBuilder
from nvflare.lighter.provisioner import Provisioner

from .kit import CENTRAL, Kit
from .provision_input import ProvisionInput

PROJECT = "average"
SERVER = "muster-central"
ADMIN = "admin@muster.invalid"
ORGANISATION = "muster"


def provision(order: ProvisionInput, folder: Path) -> None:
    """Writes `runKits/<site>` and `runKits/centralNode`. NVFlare leaves the authority's key beside them."""
    made = _run_nvflare(order, folder / "nvflare")
    kits = folder / "runKits"
    central = kits / "centralNode"
    _move(made / SERVER, central / "server")
    _move(made / ADMIN, central / "admin")
    _allow_own_components(central / "server")
    Kit.write(central, CENTRAL, order.sites, order.parameters)
    for site in order.sites:
        _move(made / site, kits / site)
        _allow_own_components(kits / site)
        Kit.write(kits / site, site, order.sites, order.parameters)


def _run_nvflare(order: ProvisionInput, workspace: Path) -> Path:
    project = Project(PROJECT, "The mean of numbers at several sites")
    server = {
        "fed_learn_port": order.port,
        "default_host": order.host,
        "host_names": ["localhost"],
    }
    project.set_server(SERVER, ORGANISATION, server)
    for site in order.sites:
        project.add_client(site, ORGANISATION, {})
    # The administrator works beside the server and does not take the way through the host.
    project.add_admin(ADMIN, ORGANISATION, {"role": "project_admin", "connect_to": "localhost"})
    builders = [
        WorkspaceBuilder(["master_template.yml"]),
        StaticFileBuilder(config_folder="config", scheme="grpc"),
        CertBuilder(),
        SignatureBuilder(),
    ]
    context = Provisioner(str(workspace), builders).provision(project)
    if context.get(CtxKey.BUILD_ERROR):
        raise RuntimeError("NVFlare could not make the kits")
    return Path(context[CtxKey.CURRENT_PROD_DIR])


def _allow_own_components(kit: Path) -> None:
    """A job may name classes of this image, besides NVFlare's own. Nobody can bring code in a job."""
    resources = json.loads((kit / "local" / "resources.json.default").read_text())
    resources["class_allow_list"].append("average.")
    (kit / "local" / "resources.json").write_text(json.dumps(resources, indent=2))


def _move(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(source, target)
