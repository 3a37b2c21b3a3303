#include "tests/unit/config/full_document.hpp"

#include <nlohmann/json.hpp>

namespace troupe::test {

namespace {

constexpr auto text = R"({
  "ociVersion": "1.3.0",
  "process": {
    "terminal": true,
    "consoleSize": {"height": 25, "width": 80},
    "cwd": "/root",
    "env": ["PATH=/bin", "TERM=xterm"],
    "args": ["sh", "-c", "true"],
    "rlimits": [{"type": "RLIMIT_NOFILE", "soft": 1024, "hard": 18446744073709551615}],
    "apparmorProfile": "acme",
    "capabilities": {
      "effective": ["CAP_KILL"],
      "bounding": ["CAP_KILL", "CAP_CHOWN"],
      "inheritable": ["CAP_KILL"],
      "permitted": ["CAP_KILL"],
      "ambient": ["CAP_KILL"]
    },
    "noNewPrivileges": true,
    "oomScoreAdj": -500,
    "scheduler": {
      "policy": "SCHED_FIFO", "nice": -5, "priority": 10,
      "flags": ["SCHED_FLAG_RESET_ON_FORK"],
      "runtime": 0, "deadline": 0, "period": 0
    },
    "selinuxLabel": "system_u:system_r:container_t:s0",
    "ioPriority": {"class": "IOPRIO_CLASS_BE", "priority": 4},
    "execCPUAffinity": {"initial": "0-3,7", "final": "0"},
    "user": {"uid": 1000, "gid": 1001, "umask": 63, "additionalGids": [5, 6]}
  },
  "root": {"path": "rootfs", "readonly": true},
  "hostname": "box",
  "domainname": "example.org",
  "mounts": [
    {"destination": "/proc", "type": "proc", "source": "proc",
     "options": ["nosuid", "noexec"]},
    {"destination": "/data", "type": "none", "source": "/srv",
     "options": ["rbind", "idmap"],
     "uidMappings": [{"containerID": 0, "hostID": 1000, "size": 10}],
     "gidMappings": [{"containerID": 0, "hostID": 1000, "size": 10}]}
  ],
  "hooks": {
    "prestart": [{"path": "/bin/a", "args": ["a"], "env": ["K=V"], "timeout": 1}],
    "createRuntime": [{"path": "/bin/b"}],
    "createContainer": [{"path": "/bin/c"}],
    "startContainer": [{"path": "/bin/d"}],
    "poststart": [{"path": "/bin/e"}],
    "poststop": [{"path": "/bin/f"}]
  },
  "annotations": {"com.example/key~1": "value", "empty": ""},
  "linux": {
    "namespaces": [
      {"type": "pid"}, {"type": "network", "path": "/run/netns/a"},
      {"type": "mount"}, {"type": "ipc"}, {"type": "uts"}, {"type": "user"},
      {"type": "cgroup"}, {"type": "time"}
    ],
    "uidMappings": [{"containerID": 0, "hostID": 1000, "size": 32000}],
    "gidMappings": [{"containerID": 0, "hostID": 1000, "size": 32000}],
    "timeOffsets": {
      "boottime": {"secs": -5, "nanosecs": 7},
      "monotonic": {"secs": 172800}
    },
    "devices": [
      {"type": "c", "path": "/dev/fuse", "major": 10, "minor": 229,
       "fileMode": 438, "uid": 3, "gid": 4}
    ],
    "netDevices": {"eth0": {"name": "lan0"}, "eth1": {}},
    "cgroupsPath": "/acme/box",
    "resources": {
      "devices": [
        {"allow": false, "access": "rwm"},
        {"allow": true, "type": "c", "major": 10, "minor": 229, "access": "rw"}
      ],
      "memory": {
        "limit": 536870912, "reservation": 1, "swap": -1, "kernel": -1,
        "kernelTCP": -1, "swappiness": 60, "disableOOMKiller": false,
        "useHierarchy": true, "checkBeforeUpdate": true
      },
      "cpu": {
        "shares": 1024, "quota": 1000000, "burst": 1000, "period": 500000,
        "realtimeRuntime": 950000, "realtimePeriod": 1000000,
        "cpus": "2-3", "mems": "0-7", "idle": 1
      },
      "pids": {"limit": 32771},
      "blockIO": {
        "weight": 10, "leafWeight": 11,
        "weightDevice": [{"major": 8, "minor": 0, "weight": 500, "leafWeight": 300}],
        "throttleReadBpsDevice": [{"major": 8, "minor": 1, "rate": 600}],
        "throttleWriteBpsDevice": [{"major": 8, "minor": 2, "rate": 601}],
        "throttleReadIOPSDevice": [{"major": 8, "minor": 3, "rate": 602}],
        "throttleWriteIOPSDevice": [{"major": 8, "minor": 4, "rate": 603}]
      },
      "hugepageLimits": [{"pageSize": "2MB", "limit": 9223372036854772000}],
      "network": {
        "classID": 1048577,
        "priorities": [{"name": "eth0", "priority": 500}]
      },
      "rdma": {"mlx5_1": {"hcaHandles": 3, "hcaObjects": 10000}},
      "unified": {"memory.high": "1073741824"}
    },
    "rootfsPropagation": "slave",
    "seccomp": {
      "defaultAction": "SCMP_ACT_ERRNO",
      "defaultErrnoRet": 1,
      "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X32"],
      "flags": ["SECCOMP_FILTER_FLAG_LOG"],
      "listenerPath": "/run/seccomp.sock",
      "listenerMetadata": "opaque",
      "syscalls": [
        {"names": ["getcwd", "chmod"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38,
         "args": [{"index": 5, "value": 18446744073709551615, "valueTwo": 1,
                   "op": "SCMP_CMP_MASKED_EQ"}]}
      ]
    },
    "sysctl": {"net.ipv4.ip_forward": "1", "kernel.shmmax": "65536"},
    "maskedPaths": ["/proc/kcore"],
    "readonlyPaths": ["/proc/sys"],
    "mountLabel": "system_u:object_r:container_file_t:s0",
    "personality": {"domain": "LINUX32"},
    "intelRdt": {
      "closID": "gold", "schemata": ["L3:0=7f0"], "l3CacheSchema": "L3:0=7f0",
      "memBwSchema": "MB:0=20", "enableMonitoring": true
    },
    "memoryPolicy": {
      "mode": "MPOL_BIND", "nodes": "0-1", "flags": ["MPOL_F_STATIC_NODES"]
    }
  }
})";

void collect(const nlohmann::json& from, const nlohmann::json::json_pointer& at,
             std::vector<std::string>& out) {
  for (const auto& [key, value] : from.items()) {
    const auto here = from.is_array() ? at / std::stoul(key) : at / key;
    out.push_back(here.to_string());
    if (value.is_structured())
      collect(value, here, out);
  }
}

} // namespace

const nlohmann::json& full_document() {
  static const auto document = nlohmann::json::parse(text);
  return document;
}

std::vector<std::string> places_of(const nlohmann::json& document) {
  std::vector<std::string> out;
  collect(document, nlohmann::json::json_pointer{}, out);
  return out;
}

} // namespace troupe::test
