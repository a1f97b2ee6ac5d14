package io.quarry.agent.check;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.common.api.Problem;
import io.quarry.coordinator.cluster.HostRecord;
import io.quarry.coordinator.cluster.RepositoryOnHost;
import io.quarry.coordinator.plan.Change;
import io.quarry.coordinator.plan.Layout;
import io.quarry.coordinator.plan.Open;
import io.quarry.coordinator.plan.Open.Layers;
import io.quarry.coordinator.plan.Open.Upload;
import io.quarry.coordinator.plan.Open.User;
import io.quarry.coordinator.plan.Pin;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.StalePins;
import io.quarry.coordinator.plan.Volume;
import io.quarry.coordinator.plan.Volume.CopySource;
import io.quarry.coordinator.plan.Volume.Origin;
import io.quarry.coordinator.plan.Volume.Stage;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Without the age limit, check would remove the pin of a call that is about to name it. */
final class PinReviewTest {
  private static final String TARGET = "key-of-target";
  private static final Instant LATER = States.NOON.plus(StalePins.YOUNG).plusSeconds(1);
  private static final Pin PIN = new Pin("p1", "one", null, TARGET, "copy", States.NOON);

  private final RepositoryState source =
      new States().disk("one").volume("one", null, Stage.READY).put(new Change.PutPin(PIN)).state();

  @Test
  void aPinIsStaleWhenItsCopyIsWholeOrWasNeverBegun() throws IOException {
    assertThat(stale(copy(Stage.INTENDED), LATER)).isEmpty();
    assertThat(stale(copy(Stage.READY), LATER)).containsExactly(PIN);
    assertThat(stale(RepositoryState.EMPTY, LATER)).containsExactly(PIN);
  }

  @Test
  void aPinIsNeededAsLongAsItsImageIsReadThere() throws IOException {
    CopySource there = new CopySource("key-of-source", "one", PIN.id());
    Volume overlay =
        new Volume(
                "v-copy", "copy", Layout.SPARSE_FILES.over(States.SIZE, "one"), Origin.over(there))
            .ready("v-copy.1.qcow2");
    States target = new States().disk("copy").put(new Change.PutVolume(overlay));
    assertThat(stale(target.state(), LATER)).isEmpty();
    // The disk's base has been copied.
    RepositoryState whole = target.disk("one").volume("one", null, Stage.READY).state();
    assertThat(stale(whole, LATER)).containsExactly(PIN);
    Open machine =
        new Open(
            "o",
            "copy",
            new User("h1", "vm", null, null),
            false,
            new Layers(List.of("v-copy"), there),
            Upload.NONE,
            States.NOON);
    assertThat(stale(whole.apply(new Change.PutOpen(machine)), LATER)).isEmpty();
  }

  @Test
  void aYoungPinIsNotStale() throws IOException {
    assertThat(stale(RepositoryState.EMPTY, LATER.minus(Duration.ofSeconds(2)))).isEmpty();
  }

  @Test
  void nothingIsSaidOfARepositoryThatIsNotConnected() throws IOException {
    assertThat(new PinReview(key -> Optional.empty(), List.of(), LATER).stale(source)).isEmpty();
  }

  @Test
  void aPinIsLostWhenNoHostReachesItsCopy() {
    List<HostRecord> hosts = AbsentUsersTest.hosts("h1");
    HostRecord reaching =
        hosts
            .getFirst()
            .withRepositories(Map.of(TARGET, new RepositoryOnHost("backup", "localfs-1.0", true)));
    assertThat(lost(hosts, LATER))
        .singleElement()
        .satisfies(problem -> {
          assertThat(problem.kind()).isEqualTo(Problem.Kind.LOST_PIN);
          assertThat(problem.imageId()).isEqualTo("one");
          assertThat(problem.subject()).isEqualTo("p1");
        });
    assertThat(lost(List.of(reaching), LATER)).isEmpty();
    assertThat(lost(List.of(), LATER)).isEmpty();
    assertThat(lost(hosts, States.NOON)).isEmpty();
  }

  private List<Pin> stale(RepositoryState target, Instant now) throws IOException {
    return new PinReview(
            key -> key.equals(TARGET) ? Optional.of(target) : Optional.empty(), List.of(), now)
        .stale(source);
  }

  private List<Problem> lost(List<HostRecord> hosts, Instant now) {
    List<Problem> found = new ArrayList<>();
    new PinReview(key -> Optional.empty(), hosts, now).lost(source, found);
    return found;
  }

  private static RepositoryState copy(Stage stage) {
    return new States()
        .disk("copy")
        .volume("copy", null, stage, new CopySource("key-of-source", "one", PIN.id()))
        .state();
  }
}
