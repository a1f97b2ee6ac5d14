package io.quarry.agent.fix;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.quarry.agent.HeldFile;
import io.quarry.agent.data.Tools;
import io.quarry.agent.data.process.Children;
import io.quarry.agent.data.process.Spawner;
import io.quarry.agent.repository.ConnectedRepository;
import io.quarry.agent.storage.Claim;
import io.quarry.agent.storage.WorkStore;
import io.quarry.common.model.Strategy;
import io.quarry.coordinator.cluster.LocalZooKeeper;
import io.quarry.coordinator.plan.CloseImage;
import io.quarry.coordinator.plan.CreateSnapshot;
import io.quarry.coordinator.plan.CreateVirtualDisk;
import io.quarry.coordinator.plan.FixState;
import io.quarry.coordinator.plan.FixState.Worker;
import io.quarry.coordinator.plan.GrantFixes;
import io.quarry.coordinator.plan.Image;
import io.quarry.coordinator.plan.OpenImage;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Request;
import io.quarry.coordinator.plan.Volume;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Clock;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** One repository with real files, whose fixes run only when the test says so. */
final class FrozenStory implements AutoCloseable {
  static final long SIZE = 1 << 20;
  private static final Worker SELF = new Worker("story", "life");

  /** A life of a host that is proven dead. */
  static final Worker DEAD = new Worker("story", "past");

  private final LocalZooKeeper zooKeeper;
  private final Spawner spawner = new Spawner();
  private final StoryHost host;

  FrozenStory(Path directory) throws Exception {
    this.zooKeeper = new LocalZooKeeper();
    this.host =
        new StoryHost(
            zooKeeper.connectString(),
            directory,
            SELF.incarnation(),
            Clock.systemUTC(),
            spawner,
            Set.of(DEAD.incarnation()));
  }

  StoryHost host() {
    return host;
  }

  ConnectedRepository repository() {
    return host.repositories().getFirst();
  }

  RepositoryState state() throws Exception {
    return repository().replica().refresh().repository();
  }

  void commit(Request request) {
    var _ = repository().commit(UUID.randomUUID().toString(), request);
  }

  void disk(String id) throws Exception {
    commit(
        new CreateVirtualDisk(
            id,
            id + "-0",
            SIZE,
            null,
            null,
            Strategy.SPACE,
            true,
            JsonNodeFactory.instance.objectNode(),
            null));
    runAll();
  }

  void snapshot(String id, String diskId, String overlay) throws Exception {
    commit(
        new CreateSnapshot(id, diskId, overlay, true, JsonNodeFactory.instance.objectNode(), null));
    runAll();
  }

  /** Writes to the disk as a VM would. */
  void write(String diskId, String... commands) throws Exception {
    commit(new OpenImage("open-" + diskId, diskId, false, "story", null, null));
    guest(top(diskId), commands);
    commit(new CloseImage(diskId, "open-" + diskId));
  }

  /** Writes to the file as QEMU would, whatever the log says. */
  void guest(Path file, String... commands) throws Exception {
    new Tools(new Children(spawner, "guest"))
        .io(file, file.toString().endsWith("raw") ? "raw" : "qcow2", commands);
  }

  void tool(String... words) throws Exception {
    var _ = new Tools(new Children(spawner, "tool")).run(words);
  }

  /** A QEMU process that may write to the raw file. */
  static HeldFile writing(Path file) {
    try {
      return HeldFile.of(file, "-f", "raw");
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  Volume volumeOf(String imageId) throws Exception {
    RepositoryState state = state();
    Image image = Objects.requireNonNull(state.images().get(imageId), imageId);
    return state.volumeOf(image);
  }

  Path top(String imageId) throws Exception {
    return repository().storage().volumes().path(String.valueOf(volumeOf(imageId).file()));
  }

  String mode(String imageId) throws Exception {
    return modeOf(top(imageId));
  }

  static String modeOf(Path file) {
    try {
      return PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Runs all outstanding fixes. */
  void runAll() throws Exception {
    for (FixState fix = next(); fix != null; fix = next()) {
      assertThat(run(fix)).as("%s", fix).isEqualTo(FixExecution.End.OVER);
    }
  }

  /** The next outstanding fix, or null. */
  @Nullable FixState next() throws Exception {
    return state().fixes().values().stream().filter(FixState::runnable).findFirst().orElse(null);
  }

  /** Runs the next epoch of the fix. */
  FixExecution.End run(FixState fix) throws Exception {
    return FixExecution.run(granted(fix));
  }

  /** That epoch, which does not run yet. */
  RunningFix granted(FixState fix) throws Exception {
    long epoch = fix.epoch() + 1;
    if (fix.heavy()) {
      WorkStore store = repository().storage().work();
      Claim newest = store.newestClaim(fix.id());
      epoch = newest == null ? 1 : newest.epoch() + 1;
      assertThat(store.claim(fix.id(), epoch, SELF, Clock.systemUTC().instant())).isPresent();
    } else {
      commit(new GrantFixes(SELF, Map.of(fix.id(), fix.epoch())));
    }
    FixState granted = Objects.requireNonNull(state().fixes().get(fix.id()));
    return host.running(repository(), granted, SELF.incarnation(), epoch);
  }

  @Override
  public void close() {
    host.close();
    zooKeeper.close();
  }
}
