"""Volumes, snapshots and images under keys of KMS, while another mock answers EC2.

What EBS does later on AWS is done here as soon as the answer is there: a volume whose key cannot
be used has vanished then, and such a copy is in state error. `stored` is what is known of what the
other mock stores; each further module has the operations of one topic.

Source: Amazon EBS User Guide, "How Amazon EBS encryption works".
"""

from __future__ import annotations

from kmsmock.services.beside import BesideStore
from kmsmock.services.ec2.beside import attachments, images, settings, snapshots, volumes

BESIDE = BesideStore(
    {
        **attachments.OPERATIONS,
        **images.OPERATIONS,
        **settings.OPERATIONS,
        **snapshots.OPERATIONS,
        **volumes.OPERATIONS,
    },
    {},
)
