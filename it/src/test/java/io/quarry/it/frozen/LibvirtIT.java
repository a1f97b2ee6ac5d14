package io.quarry.it.frozen;

import static io.quarry.it.frozen.TwoUsers.FROZEN;
import static io.quarry.it.frozen.TwoUsers.MAIN;
import static io.quarry.it.frozen.TwoUsers.SIZE;
import static io.quarry.it.frozen.TwoUsers.WRITABLE;
import static io.quarry.it.frozen.TwoUsers.mode;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.OpenRequest;
import io.quarry.common.api.OpenedImage;
import io.quarry.common.api.Problem;
import io.quarry.common.api.StorageException;
import io.quarry.common.client.StorageClient;
import io.quarry.it.box.Box;
import io.quarry.it.box.QemuGuest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Issue 20: ordinary commands of a real libvirt. Neither the agent nor QEMU is root. */
@Timeout(300)
final class LibvirtIT {
  @TempDir static Path directory;

  private static TwoUsers host;
  private static StorageClient client;
  private static Libvirt libvirt;

  @BeforeAll
  static void start() throws Exception {
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxrwxrwx"));
    host = TwoUsers.start(Files.createDirectory(directory.resolve("q")));
    client = host.client();
    libvirt = Libvirt.start(directory.resolve("l"));
  }

  @AfterAll
  static void stop() {
    if (libvirt != null) {
      libvirt.close();
    }
    if (host != null) {
      host.close();
    }
  }

  /** 20.1 and 20.3: the disk's files are lent to libvirt, which gives all of them back. */
  @Test
  void domainOfYesterdayIsDeniedASnapshotsFile() throws Exception {
    String disk = host.disk();
    OpenedImage yesterday = open(disk);
    libvirt.define("yesterday", yesterday.libvirtDisk());
    libvirt.start("yesterday");
    libvirt.write("yesterday", "write -P 7 0 64k");
    assertThat(mode(yesterday.path())).isEqualTo(WRITABLE);
    libvirt.destroy("yesterday");
    assertThat(mode(yesterday.path())).isEqualTo(WRITABLE);
    close(yesterday);
    QemuGuest.use(client, MAIN, disk, "read -P 7 0 64k");

    String snapshot = host.snapshot(disk);
    String before = QemuGuest.sha256(Path.of(yesterday.path()));
    String tag = host.etag(snapshot);
    assertThat(libvirt.failing("start", "--paused", "yesterday")).contains("Permission denied");
    assertThat(QemuGuest.sha256(Path.of(yesterday.path()))).isEqualTo(before);
    assertThat(mode(yesterday.path())).isEqualTo(FROZEN);
    assertThat(host.etag(snapshot)).isEqualTo(tag);
    assertThat(host.problems(snapshot)).isEmpty();
  }

  /** 20.1: a snapshot by libvirt itself, committed down to the bottom file, which is Quarry's. */
  @Test
  void blockcommitIsDeniedASnapshotsFile() throws Exception {
    String disk = host.disk();
    QemuGuest.use(client, MAIN, disk, "write -P 1 0 1M");
    String snapshot = host.snapshot(disk);
    String base = QemuGuest.look(client, MAIN, snapshot).path();
    OpenedImage opened = open(disk);
    libvirt.define("commits", opened.libvirtDisk());
    libvirt.start("commits");
    libvirt.write("commits", "write -P 2 0 64k");
    String before = QemuGuest.sha256(Path.of(base));
    String own = directory.resolve("own.qcow2").toString();
    var _ =
        libvirt.virsh(
            "snapshot-create-as",
            "commits",
            "s",
            "--disk-only",
            "--no-metadata",
            "--diskspec",
            "vda,file=" + own);
    libvirt.write("commits", "write -P 3 0 64k");
    assertThat(libvirt.failing("blockcommit", "commits", "vda", "--active", "--pivot", "--wait"))
        .contains("Permission denied");
    assertThat(QemuGuest.sha256(Path.of(base))).isEqualTo(before);
    assertThat(host.problems(snapshot)).isEmpty();

    // A commit into the disk's own file alone is permitted, like any other write of the VM.
    var _ =
        libvirt.virsh(
            "blockcommit",
            "commits",
            "vda",
            "--base",
            opened.path(),
            "--active",
            "--pivot",
            "--wait");
    libvirt.destroy("commits");
    close(opened);
    QemuGuest.use(client, MAIN, disk, "read -P 3 0 64k", "read -P 1 64k 960k");
    assertThat(QemuGuest.sha256(Path.of(base))).isEqualTo(before);
  }

  /** 20.4 */
  @Test
  void blockresizeIsAdoptedWhenTheDiskIsClosed() throws Exception {
    String disk = host.disk();
    host.snapshot(disk);
    OpenedImage opened = open(disk);
    libvirt.define("grows", opened.libvirtDisk());
    libvirt.start("grows");
    var _ = libvirt.virsh("blockresize", "grows", "vda", 2 * SIZE + "B");
    libvirt.write("grows", "write -P 5 %d 64k".formatted(2 * SIZE - 65_536));
    libvirt.destroy("grows");
    close(opened);
    assertThat(client.getImage(MAIN, disk, 0).size()).isEqualTo(2 * SIZE);
    String tail = "read -P 5 %d 64k".formatted(2 * SIZE - 65_536);
    QemuGuest.use(client, MAIN, disk, tail);
    assertThat(host.problems(disk)).isEmpty();
  }

  /** 20.2: a VM that runs without an open. */
  @Test
  void machineWithoutAnOpenHasItsDiskInUse() throws Exception {
    String disk = host.disk();
    libvirt.define("foreign", host.opened(disk).libvirtDisk());
    libvirt.start("foreign");
    assertThatThrownBy(() -> Box.snapshot(client, MAIN, disk))
        .isInstanceOfSatisfying(
            StorageException.class,
            refusal -> assertThat(refusal.code()).isEqualTo(ErrorCode.IMAGE_IN_USE));
    assertThat(host.problems(disk))
        .extracting(Problem::kind)
        .containsExactly(Problem.Kind.FOREIGN_WRITER);
    libvirt.destroy("foreign");
    assertThat(host.problems(disk)).isEmpty();
    assertThat(Box.snapshot(client, MAIN, disk).imageId()).isNotEmpty();
  }

  /** 20.3: without the owners in {@code libvirtDisk}, libvirt keeps the files below the top. */
  @Test
  void filesThatLibvirtKeepsAreTheirImagesProblem() throws Exception {
    String disk = host.disk();
    String snapshot = host.snapshot(disk);
    String base = QemuGuest.look(client, MAIN, snapshot).path();
    OpenedImage opened = open(disk);
    libvirt.define(
        "keeps", opened.libvirtDisk().replace("<seclabel model=\"dac\" relabel=\"no\"/>", ""));
    libvirt.start("keeps");
    libvirt.destroy("keeps");
    close(opened);
    assertThat(mode(base)).contains(Integer.toString(Qemu.USER));
    assertThat(host.problems(snapshot))
        .extracting(Problem::kind)
        .containsExactly(Problem.Kind.FORBIDDEN_VOLUME);
    Qemu.run(
        List.of(
            "chown",
            "-R",
            TwoUsers.AGENT + ":" + Qemu.GROUP,
            Path.of(base).resolveSibling(".").toString()));
    assertThat(host.problems(snapshot)).isEmpty();
  }

  private static OpenedImage open(String disk) {
    return client.openImage(MAIN, disk, new OpenRequest(false, "libvirt"), null);
  }

  private static void close(OpenedImage opened) {
    client.closeImage(MAIN, opened.imageId(), opened.openId(), null);
  }
}
