package io.quarry.agent.storage.nfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.quarry.agent.data.os.Folder;
import io.quarry.agent.data.os.MountTable;
import io.quarry.agent.data.os.Mounting;
import io.quarry.agent.data.process.Children;
import io.quarry.agent.data.process.Spawner;
import io.quarry.agent.storage.nfs.MountPoint.End;
import io.quarry.agent.storage.nfs.MountPoint.Origin;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A mount of a local filesystem takes the place of an NFS mount. */
@Timeout(120)
final class MountPointTest {
  @TempDir private Path directory;
  private Path path;
  private MountPoint point;

  @BeforeEach
  void make() throws IOException {
    assumeTrue("root".equals(System.getProperty("user.name")), "mounting needs root");
    path = Files.createDirectory(directory.resolve("point"));
    MountChild child = new MountChild(new Children(new Spawner(), "mounts"));
    point = new MountPoint(path, child, Duration.ofMinutes(1));
  }

  @AfterEach
  void unmount() throws IOException {
    if (mounted()) {
      Mounting.unmount(path, true);
    }
  }

  private boolean mounted() throws IOException {
    return MountTable.read().at(path).isPresent();
  }

  private Origin make(Origin origin) throws IOException {
    Mounting.mount("nas:/e", path, "tmpfs", "size=1m");
    return origin;
  }

  @ParameterizedTest
  @EnumSource(names = {"FAILED", "CLOSED", "AGENT_ENDS"})
  void onlyADisconnectUnmountsAFoundMount(End end) throws Exception {
    point.enter(() -> make(Origin.FOUND));
    point.leave(end);
    assertThat(mounted()).isTrue();
    point.enter(() -> Origin.FOUND);
    point.leave(End.DISCONNECTED);
    assertThat(mounted()).isFalse();
    assertThat(path).doesNotExist();
  }

  @Test
  void failureFreesTheMountThatItHasMade() throws Exception {
    point.enter(() -> make(Origin.MADE));
    try (Folder _ = Folder.open(path)) {
      point.leave(End.FAILED);
      assertThat(mounted()).isFalse();
    }
    assertThat(path).doesNotExist();
  }

  @Test
  void disconnectKeepsAMountThatAProcessUses() throws Exception {
    point.enter(() -> make(Origin.MADE));
    try (Folder _ = Folder.open(path)) {
      point.leave(End.DISCONNECTED);
      assertThat(mounted()).isTrue();
    }
    point.enter(() -> Origin.FOUND);
    point.leave(End.DISCONNECTED);
    assertThat(mounted()).isFalse();
  }

  /** A VM of the second connection may use the mount. */
  @Test
  void failureKeepsABusyMountThatAnotherConnectionHasUsed() throws Exception {
    point.enter(() -> make(Origin.MADE));
    point.enter(() -> Origin.FOUND);
    try (Folder _ = Folder.open(path)) {
      point.leave(End.DISCONNECTED);
      point.leave(End.FAILED);
      assertThat(mounted()).isTrue();
    }
  }

  @Test
  void closeKeepsABusyMount() throws Exception {
    point.enter(() -> make(Origin.MADE));
    try (Folder _ = Folder.open(path)) {
      point.leave(End.CLOSED);
      assertThat(mounted()).isTrue();
    }
  }

  @Test
  void endOfTheAgentLeavesTheMount() throws Exception {
    point.enter(() -> make(Origin.MADE));
    point.leave(End.AGENT_ENDS);
    assertThat(mounted()).isTrue();
  }
}
