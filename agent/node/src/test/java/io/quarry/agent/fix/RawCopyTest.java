package io.quarry.agent.fix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quarry.agent.data.CopyPace;
import io.quarry.agent.data.RawFileSource;
import io.quarry.agent.data.Source;
import io.quarry.agent.data.Throttle;
import io.quarry.agent.data.process.Spawner;
import io.quarry.agent.repository.Repository;
import io.quarry.agent.storage.Checkpoint;
import io.quarry.agent.storage.RepositoryStorage;
import io.quarry.agent.storage.directory.SimStorage;
import io.quarry.common.model.FixType;
import io.quarry.coordinator.log.LogState;
import io.quarry.coordinator.plan.FixState;
import io.quarry.coordinator.plan.FixState.Subject;
import io.quarry.coordinator.plan.FixState.Worker;
import io.quarry.coordinator.plan.Layout;
import io.quarry.coordinator.plan.Reply;
import io.quarry.coordinator.plan.Request;
import io.quarry.coordinator.plan.RequestId;
import io.quarry.coordinator.plan.Volume;
import io.quarry.coordinator.plan.Volume.CopySource;
import io.quarry.coordinator.plan.Volume.Origin;
import io.quarry.coordinator.sim.SimDisk;
import io.quarry.coordinator.sim.SimMount;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Objects;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The state that an epoch leaves when the storage fails, and how the next epoch continues. */
class RawCopyTest {
  private static final String FIX = "mend-v";
  private static final String SOURCE = "source.1.raw";
  private static final InstantSource CLOCK = InstantSource.fixed(Instant.EPOCH);
  private static final CopyPace PACE = new CopyPace(2 * SimContent.BLOCK_BYTES, 0, () -> 0);
  private static final Volume VOLUME =
      new Volume(
          "v",
          "copy",
          Layout.SPARSE_FILES.over(SimContent.SIZE, null),
          Origin.copyOf(new CopySource("here", "source", "pin")));

  private final SimMount mount = new SimMount(new SimDisk((name, content) -> {}), this::step);
  private int checkpoints;
  private int failing;
  private Repository repository;

  /** One of the forces that make a checkpoint's name durable fails. */
  private void step(String what) {
    if (what.equals("force /here/fixes/" + FIX) && ++checkpoints == failing) {
      mount.failForces(1);
    }
  }

  @BeforeEach
  void make() throws IOException {
    Path root = mount.files().getPath("/here");
    SimStorage.create(root);
    repository = new Storage(SimStorage.open(root, "here", "test"));
    try (OutputStream out = Files.newOutputStream(volume(SOURCE))) {
      for (int block = 0; block < SimContent.BLOCKS; block++) {
        out.write(SimContent.block(block + 1));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {3, 4, 5, 6})
  void aCheckpointThatCouldNotBeForcedStillCounts(int number) throws Exception {
    failing = number;
    assertThatThrownBy(() -> copy(1, "dies")).isInstanceOf(IOException.class);
    Checkpoint left = Objects.requireNonNull(repository.storage().work().newestCheckpoint(FIX));
    assertThat(Files.size(volume(Objects.requireNonNull(left.file()))))
        .isGreaterThanOrEqualTo(left.offset());
    assertIsSource(copy(2, "follows"));
  }

  @Test
  void aFileThatHasLessThanItsCheckpointSaysIsNotGoneOnWith() throws Exception {
    String first = copy(1, "first");
    try (FileChannel file = FileChannel.open(volume(first), StandardOpenOption.WRITE)) {
      file.truncate(SimContent.BLOCK_BYTES);
    }
    String second = copy(2, "second");
    assertThat(second).isNotEqualTo(first);
    assertIsSource(second);
  }

  private String copy(long epoch, String life) throws Exception {
    Worker worker = new Worker("host", life);
    assertThat(repository.storage().work().claim(FIX, epoch, worker, CLOCK.instant())).isPresent();
    RunningFix run =
        new RunningFix(repository, fix(), worker, epoch, null, context(), ignored -> {});
    try (Source source = RawFileSource.of(repository.storage().volumes().openRead(SOURCE))) {
      return new RawCopy(run, VOLUME).copy(source);
    }
  }

  private void assertIsSource(String file) throws IOException {
    assertThat(ByteBuffer.wrap(Files.readAllBytes(volume(file))))
        .isEqualTo(ByteBuffer.wrap(Files.readAllBytes(volume(SOURCE))));
  }

  private Path volume(String file) {
    return repository.storage().volumes().path(file);
  }

  private static FixState fix() {
    Subject subject = new Subject(FixType.MEND, "copy", "v", null, true);
    return new FixState(FIX, subject, true, null, CLOCK.instant());
  }

  private static FixContext context() {
    return new FixContext(
        key -> Optional.empty(),
        worker -> false,
        new SpaceBudget(key -> Optional.empty()),
        PACE,
        Throttle.unlimited(),
        new Spawner(),
        new LocalWriters(),
        Path.of("/nowhere"),
        CLOCK);
  }

  /** A repository that has only its files. */
  private record Storage(RepositoryStorage storage) implements Repository {
    @Override
    public String repoId() {
      return key();
    }

    @Override
    public String key() {
      return "here";
    }

    @Override
    public boolean responsive() {
      return true;
    }

    @Override
    public LogState state() {
      return LogState.EMPTY;
    }

    @Override
    public LogState refresh() {
      return state();
    }

    @Override
    public LogState atLeast(long commit) {
      return state();
    }

    @Override
    public Reply commit(RequestId requestId, Request request) {
      throw new UnsupportedOperationException("nothing is committed here");
    }
  }
}
