package io.quarry.agent.data.os;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class MountTableTest {
  private static final String LINES =
      """
      25 30 0:23 / /sys rw,nosuid,nodev,noexec,relatime shared:7 - sysfs sysfs rw
      41 30 0:37 / /mnt/my\\040disks\\134a rw,noatime shared:1 master:2 - nfs4 [2001:db8::1]:/my\\040export rw,vers=4.2,hard,nosharecache,proto=tcp6,timeo=600,retrans=2,sec=sys,lookupcache=pos,local_lock=none,addr=2001:db8::1
      42 30 0:38 / /mnt/b rw - nfs nas:/b rw,vers=3,soft
      43 30 0:39 / /mnt/b ro - tmpfs hides-b rw,size=1024k
      a line of another shape
      """;

  @TempDir private Path directory;

  @Test
  void lineTellsWhereWhatAndHow() {
    Path point = Path.of("/mnt/my disks\\a");
    Mount mount = MountTable.parse(LINES).at(point).orElseThrow();
    assertThat(mount.id()).isEqualTo(41);
    assertThat(mount.type()).isEqualTo("nfs4");
    assertThat(mount.source()).isEqualTo("[2001:db8::1]:/my export");
    assertThat(mount.has("noatime")).as("an option of the mount").isTrue();
    assertThat(mount.has("hard")).as("an option of the filesystem").isTrue();
    assertThat(mount.has("soft")).isFalse();
    assertThat(mount.option("lookupcache")).isEqualTo("pos");
    assertThat(mount.option("nocto")).isEmpty();
  }

  /** Names may be any bytes, and a kernel may leave a backslash as it is. */
  @Test
  void oddLineSpoilsNoOtherLine() {
    String odd =
        """
        x 30 0:1 / /mnt/number rw - tmpfs t rw
        50 30 0:1 / /mnt/byte\u00ff rw - tmpfs t rw
        51 30 0:1 / /mnt/nul\\000 rw - tmpfs t rw
        52 30 0:1 / /mnt/raw\\x\\9 rw - tmpfs back\\slash rw,lowerdir=a\\:b
        """;
    MountTable table = MountTable.parse((odd + LINES).getBytes(StandardCharsets.ISO_8859_1));
    assertThat(table.at(Path.of("/mnt/my disks\\a"))).isPresent();
    Mount raw = table.at(Path.of("/mnt/raw\\x\\9")).orElseThrow();
    assertThat(raw.source()).isEqualTo("back\\slash");
    assertThat(raw.option("lowerdir")).isEqualTo("a\\:b");
    assertThat(table.mounts()).extracting(Mount::id).contains(41L, 52L).doesNotContain(51L);
  }

  @Test
  void nameOfManyBytesIsRead() {
    String line = "53 30 0:1 / /mnt/\u00fc\u20ac rw - tmpfs t rw\n";
    assertThat(MountTable.parse(line).mounts())
        .singleElement()
        .satisfies(mount -> assertThat(mount.id()).isEqualTo(53));
  }

  @Test
  void visibleMountIsTheLastOne() {
    MountTable table = MountTable.parse(LINES);
    assertThat(table.at(Path.of("/mnt/b")).orElseThrow().type()).isEqualTo("tmpfs");
    assertThat(table.at(Path.of("/mnt"))).isEmpty();
    assertThat(table.mounts()).hasSize(4);
  }

  @Test
  void mountIsFoundByAnOpenFolderAlsoWhenAnotherMountHidesIt() throws Exception {
    assumeTrue("root".equals(System.getProperty("user.name")), "mounting needs root");
    Path point = Files.createDirectory(directory.resolve("a point\tof \\ mounts"));
    Mounting.mount("lower", point, "tmpfs", "size=1m");
    try (Folder lower = Folder.open(point)) {
      Mounting.mount("upper", point, "tmpfs", "size=2m");
      try (Folder upper = Folder.open(point)) {
        MountTable table = MountTable.read();
        assertThat(table.of(lower).orElseThrow().source()).isEqualTo("lower");
        try (Folder again = lower.again()) {
          assertThat(table.of(again)).isEqualTo(table.of(lower));
        }
        Mount visible = table.of(upper).orElseThrow();
        assertThat(visible.source()).isEqualTo("upper");
        assertThat(table.at(point)).contains(visible);
        assertThat(visible.options()).containsKeys("nosuid", "nodev", "noexec", "noatime");
        assertThat(visible.option("size")).isEqualTo("2048k");
      }
      Mounting.unmount(point, false);
      FileFailure busy =
          catchThrowableOfType(FileFailure.class, () -> Mounting.unmount(point, false));
      assertThat(Errno.of(busy.errno())).isEqualTo(Errno.EBUSY);
    } finally {
      Mounting.unmount(point, true);
    }
    assertThat(MountTable.read().at(point)).isEmpty();
  }

  @Test
  void failureOfMountingNamesItsReason() {
    assertThatThrownBy(() -> Mounting.mount("none", directory, "no-such-type", ""))
        .isInstanceOfSatisfying(
            FileFailure.class,
            failure -> assertThat(Errno.of(failure.errno())).isIn(Errno.ENODEV, Errno.EPERM));
  }
}
