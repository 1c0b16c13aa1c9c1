"""A third party's message model for hop-client: what hop-client derives by itself, and no more.

hop-client finds it as it finds any plugin, by the entry point in hop_donut-1.0.dist-info; `setup` installs nothing, it
puts this folder on the environment's path. Label and wire content are hop-client's defaults: the class name in lower
case, and JSON of the fields in their order.
"""

import json
from dataclasses import dataclass

from hop import plugins
from hop.models import MessageModel


@dataclass
class Donut(MessageModel):
    category: str
    flavor: str
    has_filling: bool

    @classmethod
    def load(cls, input_):
        text = input_.read() if hasattr(input_, "read") else input_
        return cls(**json.loads(text))


@plugins.register
def get_models():
    return {"donut": Donut}
