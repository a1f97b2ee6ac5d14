package io.quarry.agent.fix;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.quarry.agent.data.process.Children;
import io.quarry.agent.data.process.Spawner;
import io.quarry.agent.repository.ConnectedRepository;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import io.quarry.common.model.Strategy;
import io.quarry.coordinator.cluster.LocalZooKeeper;
import io.quarry.coordinator.fault.FaultPoints;
import io.quarry.coordinator.plan.CreateVirtualDisk;
import io.quarry.coordinator.plan.FixState;
import io.quarry.coordinator.plan.FixState.Worker;
import io.quarry.coordinator.plan.Volume;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A host that makes a volume, fails to commit it, and tries again. */
class TroubledMendTest {
  private static final Worker SELF = new Worker("story", "life");
  private static final String DISK = "disk";
  private static final String VOLUME = "volume";

  @AfterEach
  void observeNothing() {
    FaultPoints.observe(null);
  }

  @Test
  void aFileOfAnEarlierTryDoesNotStopTheNextOne(@TempDir Path directory) throws Exception {
    try (LocalZooKeeper zooKeeper = new LocalZooKeeper();
        StoryHost host = host(zooKeeper, directory)) {
      ConnectedRepository repository = host.repositories().getFirst();
      repository.commit(UUID.randomUUID().toString(), disk());
      FaultPoints.observe(TroubledMendTest::cannotCommit);
      assertThat(run(host, repository)).isEqualTo(FixExecution.End.TROUBLE);
      FaultPoints.observe(null);
      assertThat(run(host, repository)).isEqualTo(FixExecution.End.OVER);
      assertThat(fix(repository).epoch()).isEqualTo(2);
      assertThat(fix(repository).worker()).isEqualTo(SELF);
      assertThat(run(host, repository)).isEqualTo(FixExecution.End.OVER);

      Volume made =
          Objects.requireNonNull(repository.replica().refresh().repository().volumes().get(VOLUME));
      assertThat(made.stage()).isEqualTo(Volume.Stage.READY);
      try (var files = Files.list(directory.resolve("here/volumes"))) {
        assertThat(files.map(file -> file.getFileName().toString())).containsExactly(made.file());
      }
    }
  }

  /** 12.17: a killed tool is no failure of the fix. */
  @Test
  void killedToolIsTriedAgain(@TempDir Path directory) throws Exception {
    try (LocalZooKeeper zooKeeper = new LocalZooKeeper();
        StoryHost host = host(zooKeeper, directory)) {
      ConnectedRepository repository = host.repositories().getFirst();
      repository.commit(UUID.randomUUID().toString(), disk());
      FaultPoints.observe(TroubledMendTest::isKilled);
      assertThat(run(host, repository)).isEqualTo(FixExecution.End.TROUBLE);
      assertThat(fix(repository).failures()).isZero();
    }
  }

  private static StoryHost host(LocalZooKeeper zooKeeper, Path directory) throws Exception {
    return new StoryHost(
        zooKeeper.connectString(),
        directory,
        SELF.incarnation(),
        Clock.systemUTC(),
        new Spawner(),
        Set.of());
  }

  private static CreateVirtualDisk disk() {
    return new CreateVirtualDisk(
        DISK,
        VOLUME,
        1 << 20,
        null,
        null,
        Strategy.SPACE,
        true,
        JsonNodeFactory.instance.objectNode(),
        SELF);
  }

  private static void isKilled(String place) {
    if (place.equals("mend.made")) {
      try {
        var children = new Children(new Spawner(), "test");
        children.run(List.of("sh", "-c", "kill -KILL $$"), Duration.ofSeconds(20)).orFail();
      } catch (IOException | InterruptedException e) {
        throwAny(e);
      }
    }
  }

  /** Throws what a tool would throw there. */
  @SuppressWarnings("unchecked")
  private static <E extends Exception> void throwAny(Exception e) throws E {
    throw (E) e;
  }

  private static void cannotCommit(String place) {
    if (place.equals("mend.made")) {
      throw new StorageException(
          ErrorCode.SDM_UNAVAILABLE, "no host commits", "here", "try again in a moment");
    }
  }

  private static FixExecution.End run(StoryHost host, ConnectedRepository repository)
      throws Exception {
    FixState fix = fix(repository);
    return FixExecution.run(host.running(repository, fix, SELF.incarnation(), fix.epoch()));
  }

  private static FixState fix(ConnectedRepository repository) throws Exception {
    return Objects.requireNonNull(
        repository.replica().refresh().repository().fixes().get(FixState.mendId(VOLUME)));
  }
}
