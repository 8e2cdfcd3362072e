"""The operating systems of the fleet: names, kernels and where each family keeps its things."""

from dataclasses import dataclass

QEMU = "QEMU Standard PC (i440FX + PIIX, 1996), BIOS 1.16.2-debian-1.16.2-1 04/01/2014"
BOARD = "Alibaba Cloud Alibaba Cloud ECS, BIOS 449e491 04/01/2014"


@dataclass(frozen=True, slots=True)
class Distro:
    """One operating system image. `built` is what stands after the release in kernel messages."""

    key: str
    family: str  # rhel, debian or windows
    image_id: str
    os_name: str
    os_name_en: str
    kernel: str = ""
    built: str = "#1 SMP"
    compiler: str = ""
    os_release: str = ""
    issue_file: str = ""
    issue_text: str = ""
    persistent_journal: bool = False
    audit: bool = False


def release(**pairs: str) -> str:
    return "".join(f'{key}="{value}"\n' for key, value in pairs.items())


ALINUX3 = Distro(
    "alinux3",
    "rhel",
    "aliyun_3_x64_20G_alibase_20250629.vhd",
    "Alibaba Cloud Linux  3.2104 LTS 64位",
    "Alibaba Cloud Linux  3.2104 LTS 64 bit",
    kernel="5.10.134-18.al8.x86_64",
    built="#1 SMP Fri Dec 13 16:56:53 CST 2024",
    compiler="gcc (GCC) 10.2.1 20200825 (Alibaba 10.2.1-3.8 2.32), GNU ld version 2.35-12.3.al8",
    os_release=release(
        NAME="Alibaba Cloud Linux",
        VERSION="3 (OpenAnolis Edition)",
        ID="alinux",
        ID_LIKE="rhel fedora centos anolis",
        VERSION_ID="3",
        PLATFORM_ID="platform:al8",
        PRETTY_NAME="Alibaba Cloud Linux 3 (OpenAnolis Edition)",
    ),
    issue_file="/etc/alinux-release",
    issue_text="Alibaba Cloud Linux release 3 (OpenAnolis Edition)\n",
    audit=True,
)
CENTOS7 = Distro(
    "centos7",
    "rhel",
    "centos_7_9_x64_20G_alibase_20240628.vhd",
    "CentOS  7.9 64位",
    "CentOS  7.9 64 bit",
    kernel="3.10.0-1160.119.1.el7.x86_64",
    built="#1 SMP Tue Jun 4 14:43:51 UTC 2024",
    compiler="gcc version 4.8.5 20150623 (Red Hat 4.8.5-44) (GCC)",
    os_release=release(
        NAME="CentOS Linux",
        VERSION="7 (Core)",
        ID="centos",
        ID_LIKE="rhel fedora",
        VERSION_ID="7",
        PRETTY_NAME="CentOS Linux 7 (Core)",
    ),
    issue_file="/etc/centos-release",
    issue_text="CentOS Linux release 7.9.2009 (Core)\n",
    audit=True,
)
ROCKY9 = Distro(
    "rocky9",
    "rhel",
    "rockylinux_9_5_x64_20G_alibase_20250311.vhd",
    "Rocky Linux  9.5 64位",
    "Rocky Linux  9.5 64 bit",
    kernel="5.14.0-503.26.1.el9_5.x86_64",
    built="#1 SMP PREEMPT_DYNAMIC Wed Feb 26 18:24:52 UTC 2025",
    compiler="gcc (GCC) 11.5.0 20240719 (Red Hat 11.5.0-5), GNU ld version 2.35.2-54.el9",
    os_release=release(
        NAME="Rocky Linux",
        VERSION="9.5 (Blue Onyx)",
        ID="rocky",
        ID_LIKE="rhel centos fedora",
        VERSION_ID="9.5",
        PLATFORM_ID="platform:el9",
        PRETTY_NAME="Rocky Linux 9.5 (Blue Onyx)",
    ),
    issue_file="/etc/rocky-release",
    issue_text="Rocky Linux release 9.5 (Blue Onyx)\n",
    audit=True,
)
UBUNTU22 = Distro(
    "ubuntu22",
    "debian",
    "ubuntu_22_04_x64_20G_alibase_20250722.vhd",
    "Ubuntu  22.04 64位",
    "Ubuntu  22.04 64 bit",
    kernel="5.15.0-151-generic",
    built="#161-Ubuntu SMP Tue Jul 22 14:25:40 UTC 2025",
    compiler="gcc (Ubuntu 11.4.0-1ubuntu1~22.04) 11.4.0, GNU ld (GNU Binutils for Ubuntu) 2.38",
    os_release=release(
        PRETTY_NAME="Ubuntu 22.04.5 LTS",
        NAME="Ubuntu",
        VERSION_ID="22.04",
        VERSION="22.04.5 LTS (Jammy Jellyfish)",
        VERSION_CODENAME="jammy",
        ID="ubuntu",
        ID_LIKE="debian",
    ),
    issue_file="/etc/debian_version",
    issue_text="bookworm/sid\n",
    persistent_journal=True,
)
DEBIAN12 = Distro(
    "debian12",
    "debian",
    "debian_12_11_x64_20G_alibase_20250728.vhd",
    "Debian  12.11 64位",
    "Debian  12.11 64 bit",
    kernel="6.1.0-50-cloud-amd64",
    built="#1  Debian 6.1.176-1",
    compiler="gcc-12 (Debian 12.2.0-14+deb12u1) 12.2.0, GNU ld (GNU Binutils for Debian) 2.40",
    os_release=release(
        PRETTY_NAME="Debian GNU/Linux 12 (bookworm)",
        NAME="Debian GNU/Linux",
        VERSION_ID="12",
        VERSION="12 (bookworm)",
        VERSION_CODENAME="bookworm",
        ID="debian",
    ),
    issue_file="/etc/debian_version",
    issue_text="12.11\n",
    persistent_journal=True,
)
WINDOWS2019 = Distro(
    "windows2019",
    "windows",
    "win2019_1809_x64_dtc_en-us_40G_alibase_20250716.vhd",
    "Windows Server  2019 数据中心版 64位英文版",
    "Windows Server  2019 Datacenter Edition 64bit English Edition",
)
WINDOWS2022 = Distro(
    "windows2022",
    "windows",
    "win2022_21H2_x64_dtc_en-us_40G_alibase_20250716.vhd",
    "Windows Server  2022 数据中心版 64位英文版",
    "Windows Server  2022 Datacenter Edition 64bit English Edition",
)
