package io.quarry.it.nfs;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.it.vm.GuestJava;
import io.quarry.it.vm.Lab;
import io.quarry.it.vm.LabExtension;
import io.quarry.it.vm.LabVm;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** Hosts connect repositories of the format nfs-3.4, or say why not. Nothing mounted stays. */
@ExtendWith(LabExtension.class)
@Timeout(600)
final class ConnectLab {
  /** An address that no machine of the first cable has. */
  private static final String NOBODY = "10.99.0.77";

  @Test
  void agentMountsAnExportAndUnmountsIt(Lab lab) throws Exception {
    lab.nfs().makeDirectories("connected");
    LabVm a = lab.host("a");
    LabVm b = lab.host("b");
    GuestJava first = connect(a, true, "it " + exported(a, "/connected"));
    GuestJava second =
        connect(
            b,
            false,
            "it " + exported(b, "/connected"),
            "old " + exported(b, "/connected") + " options=vers=4.1");
    assertThat(second.lines("it KEY")).isEqualTo(first.lines("it KEY")).hasSize(1);
    assertThat(first.lines("it OPTIONS"))
        .singleElement()
        .asString()
        .contains("vers=4.2", "hard=", "lookupcache=pos", "local_lock=none", "noatime=");
    assertThat(second.lines("old OPTIONS")).singleElement().asString().contains("vers=4.1");
  }

  @Test
  void mountOutlivesTheAgentAndARefusalAndEndsWithTheLastConnection(Lab lab) throws Exception {
    lab.nfs().makeDirectories("kept");
    LabVm host = lab.host("b");
    GuestJava restarter = host.java(Restarter.class, host.peer(), "/kept");
    restarter.awaitSuccess();
    List<String> mounts = restarter.lines("MOUNTS");
    String one = mounts.getFirst().replace("connected ", "");
    assertThat(one).matches("\\[\\d+]");
    assertThat(mounts)
        .containsExactly(
            "connected " + one,
            "ended " + one,
            "refused " + one,
            "again " + one,
            "used " + one,
            "disconnected []");
    assertThat(restarter.lines("REFUSED")).singleElement().asString().contains("group");
  }

  @Test
  void mountsThatEndangerTheLogAreRefused(Lab lab) throws Exception {
    lab.nfs().makeDirectories("given");
    LabVm host = lab.host("a");
    String safe = lab.nfs().mount(host, "vers=4.2,lookupcache=positive");
    String usual = lab.nfs().mount(host, "vers=4.2");
    String soft = lab.nfs().mount(host, "vers=4.2,lookupcache=positive,soft");
    String older = lab.nfs().mount(host, "vers=4.0,lookupcache=positive");
    GuestJava tried =
        connect(
            host,
            true,
            "local localfs-1.0 path=" + safe + "/given",
            "usual nfs-3.4 path=" + usual + "/given",
            "soft nfs-3.4 path=" + soft + "/given",
            "older nfs-3.4 path=" + older + "/given",
            "disk nfs-3.4 path=/run",
            "safe nfs-3.4 path=" + safe + "/given");
    assertRefused(tried, "local", "REPOSITORY_UNUSABLE", "nfs-3.4");
    assertRefused(tried, "usual", "REPOSITORY_UNUSABLE", "lookupcache=all", "/etc/fstab");
    assertRefused(tried, "soft", "REPOSITORY_UNUSABLE", "mounted with soft", "/etc/fstab");
    assertRefused(tried, "older", "REPOSITORY_UNUSABLE", "vers=4.0", "/etc/fstab");
    assertRefused(tried, "disk", "REPOSITORY_UNUSABLE", "not on NFS", "localfs-1.0");
    assertThat(tried.lines("safe KEY")).hasSize(1);
  }

  @Test
  void exportThatCannotBeUsedIsRefusedAndLeavesNoMount(Lab lab) throws Exception {
    lab.nfs().makeDirectories("squashed");
    lab.nfs().makeDirectories("readonly");
    lab.server()
        .run(
            """
            # A directory has options of its own where the server crosses a mount.
            for directory in squashed readonly; do
              mount --bind /srv/export/$directory /srv/export/$directory
            done
            exportfs -o rw,root_squash,insecure,no_subtree_check,sync '*:/srv/export/squashed'
            exportfs -o ro,no_root_squash,insecure,no_subtree_check,sync '*:/srv/export/readonly'
            """);
    LabVm host = lab.host("a");
    GuestJava tried =
        connect(
            host,
            true,
            "absent " + exported(host, "/absent"),
            "squashed " + exported(host, "/squashed"),
            "readonly " + exported(host, "/readonly"),
            "nobody nfs-3.4 server=" + NOBODY + " export=/connected");
    assertRefused(tried, "absent", "REPOSITORY_UNUSABLE", "has no export /absent");
    assertRefused(tried, "squashed", "REPOSITORY_UNUSABLE", "Permission denied", "no_root_squash");
    assertRefused(tried, "readonly", "REPOSITORY_UNUSABLE", "Read-only file system", "option rw");
    assertRefused(tried, "nobody", "REPOSITORY_UNRESPONSIVE", NOBODY, "TCP port 2049");
  }

  private static String exported(LabVm host, String export) {
    return "nfs-3.4 server=" + host.peer() + " export=" + export;
  }

  private static GuestJava connect(LabVm host, boolean create, String... repositories)
      throws Exception {
    List<String> arguments = new ArrayList<>(List.of(host.name(), Boolean.toString(create)));
    arguments.addAll(List.of(repositories));
    GuestJava connector = host.java(Connector.class, arguments.toArray(String[]::new));
    connector.awaitSuccess();
    for (String repository : repositories) {
      String name = repository.substring(0, repository.indexOf(' '));
      assertThat(connector.lines(name + " LEFT")).as(name).containsExactly("[]");
    }
    return connector;
  }

  private static void assertRefused(GuestJava tried, String name, String code, String... words)
      throws Exception {
    assertThat(tried.lines(name + " REFUSED"))
        .last()
        .asString()
        .startsWith(code + ": ")
        .contains(words);
    assertThat(tried.lines(name + " KEY")).isEmpty();
  }
}
