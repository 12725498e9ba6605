#include "runtime/metadata.h"

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace roster {
namespace {

const std::string kId(64, 'a');

TEST(Metadata, ContainerdsAnnotationsAreTaken) {
  OciSpec spec;
  spec.annotations = {{"io.kubernetes.cri.container-type", "container"},
                      {"io.kubernetes.cri.sandbox-name", "pod"},
                      {"io.kubernetes.cri.sandbox-namespace", "ns"},
                      {"io.kubernetes.cri.sandbox-uid", "uid"},
                      {"io.kubernetes.cri.container-name", "web"},
                      {"io.kubernetes.cri.image-name", "nginx:1"},
                      {"io.kubernetes.cri.sandbox-id", "sandbox"}};
  Container container;
  EXPECT_EQ(FillFromSpec(spec, &container), ContainerKind::kContainer);
  EXPECT_EQ(container.runtime.runtime_name, "containerd");
  EXPECT_EQ(container.k8s.pod_name, "pod");
  EXPECT_EQ(container.k8s.namespace_name, "ns");
  EXPECT_EQ(container.k8s.pod_uid, "uid");
  EXPECT_EQ(container.k8s.container_name, "web");
  EXPECT_EQ(container.runtime.container_image_name, "nginx:1");
  EXPECT_EQ(container.sandbox_id, "sandbox");
  spec.annotations["io.kubernetes.cri.container-type"] = "sandbox";
  EXPECT_EQ(FillFromSpec(spec, &container), ContainerKind::kSandbox);
}

TEST(Metadata, CriosAnnotationsAreTaken) {
  OciSpec spec;
  spec.annotations = {{"io.container.manager", "cri-o"},
                      {"io.kubernetes.cri-o.ContainerType", "container"},
                      {"io.kubernetes.pod.name", "pod"},
                      {"io.kubernetes.pod.namespace", "ns"},
                      {"io.kubernetes.pod.uid", "uid"},
                      {"io.kubernetes.container.name", "web"},
                      {"io.kubernetes.cri-o.ImageName", "nginx:1"},
                      {"io.kubernetes.cri-o.SandboxID", "sandbox"},
                      {"io.kubernetes.cri.sandbox-name", "not this"}};
  Container container;
  EXPECT_EQ(FillFromSpec(spec, &container), ContainerKind::kContainer);
  EXPECT_EQ(container.runtime.runtime_name, "cri-o");
  EXPECT_EQ(container.k8s.pod_name, "pod");
  EXPECT_EQ(container.k8s.namespace_name, "ns");
  EXPECT_EQ(container.k8s.pod_uid, "uid");
  EXPECT_EQ(container.k8s.container_name, "web");
  EXPECT_EQ(container.runtime.container_image_name, "nginx:1");
  EXPECT_EQ(container.sandbox_id, "sandbox");
  spec.annotations["io.kubernetes.cri-o.ContainerType"] = "sandbox";
  EXPECT_EQ(FillFromSpec(spec, &container), ContainerKind::kSandbox);
}

TEST(Metadata, PodmansInfraContainerIsAContainer) {
  OciSpec spec;
  spec.annotations = {{"io.container.manager", "libpod"},
                      {"io.kubernetes.cri-o.ContainerType", "sandbox"},
                      {"io.kubernetes.cri-o.SandboxID", "pod"}};
  Container container;
  EXPECT_EQ(FillFromSpec(spec, &container), ContainerKind::kContainer);
  EXPECT_EQ(container.runtime.runtime_name, "podman");
  EXPECT_EQ(container.sandbox_id, "pod");
  EXPECT_EQ(container.k8s.pod_name, "");
}

TEST(Metadata, AnEmptyAnnotationOverwritesNothing) {
  OciSpec spec;
  spec.annotations = {{"io.kubernetes.cri.container-type", ""},
                      {"io.kubernetes.cri.sandbox-name", ""}};
  Container container;
  container.k8s.pod_name = "known";
  EXPECT_EQ(FillFromSpec(spec, &container), ContainerKind::kContainer);
  EXPECT_EQ(container.k8s.pod_name, "known");
  EXPECT_EQ(container.runtime.runtime_name, "containerd");
}

TEST(Metadata, DockerIsKnownByItsMountsOrItsContainerdNamespace) {
  const struct {
    std::string source;
    std::string destination;
    const char* runtime;
  } mounts[] = {
      {absl::StrCat("/var/lib/docker/containers/", kId, "/hostname"), "/etc/hostname", "docker"},
      {absl::StrCat("/data/containers/", kId, "/hosts"), "/etc/hosts", "docker"},
      {absl::StrCat("/d/containers/", kId, "/resolv.conf"), "/etc/resolv.conf", "docker"},
      {absl::StrCat("/d/containers/", kId, "/resolv.conf"), "/tmp/x", ""},
      {absl::StrCat("/d/containers/", kId, "/other"), "/etc/other", ""},
      {"/d/containers/short/hosts", "/etc/hosts", ""},
      {absl::StrCat("/d/others/", kId, "/hosts"), "/etc/hosts", ""},
      {"hosts", "/etc/hosts", ""},
      {"", "", ""},
  };
  for (const auto& mount : mounts) {
    OciSpec spec;
    spec.mounts = {{mount.source, mount.destination}};
    Container container;
    EXPECT_EQ(FillFromSpec(spec, &container), ContainerKind::kContainer);
    EXPECT_EQ(container.runtime.runtime_name, mount.runtime) << mount.source;
  }
  Container container;
  container.bundle =
      absl::StrCat("/run/docker/containerd/daemon/io.containerd.runtime.v2.task/moby/", kId);
  FillFromSpec({}, &container);
  EXPECT_EQ(container.runtime.runtime_name, "docker");
}

TEST(Metadata, CtrsContainersAreContainerds) {
  Container container;
  container.bundle = "/run/containerd/io.containerd.runtime.v2.task/default/bb";
  FillFromSpec({}, &container);
  EXPECT_EQ(container.runtime.runtime_name, "containerd");
}

TEST(Metadata, ABundleThatSaysNothingLeavesTheNameAlone) {
  Container container;
  container.runtime.runtime_name = "runc";
  container.bundle = "/home/x/bundle";
  EXPECT_EQ(FillFromSpec({}, &container), ContainerKind::kContainer);
  EXPECT_EQ(container.runtime.runtime_name, "runc");
}

TEST(ContainerdTaskPath, IsTakenApart) {
  const ContainerdTaskPath task =
      ParseContainerdTaskPath("/r/io.containerd.runtime.v2.task/k8s.io/abc/");
  EXPECT_EQ(task.containerd_namespace, "k8s.io");
  EXPECT_EQ(task.id, "abc");
  EXPECT_EQ(ParseContainerdTaskPath("/r/io.containerd.runtime.v1.linux/moby/x").id, "x");
  for (const char* path : {"", "/", "a", "/io.containerd.runtime.v2.task/x", "/a/b/c"}) {
    EXPECT_EQ(ParseContainerdTaskPath(path).id, "") << path;
  }
}

}  // namespace
}  // namespace roster
