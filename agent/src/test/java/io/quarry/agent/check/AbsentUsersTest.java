package io.quarry.agent.check;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.common.api.Problem;
import io.quarry.coordinator.cluster.HostRecord;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Volume.Stage;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Without knowing of any host, every host would seem to be dead. */
final class AbsentUsersTest {
  private final RepositoryState state =
      new States()
          .disk("one")
          .volume("one", null, Stage.READY)
          .open("at-h1", "one", "h1", null)
          .open("at-h2", "one", "h2", null)
          .open("upload", "one", "h9", "v-filled")
          .state();

  @Test
  void whoIsOnNoLiveHostSeemsToBeGone() {
    assertThat(found(States.NOON, "h1", "h3"))
        .singleElement()
        .satisfies(problem -> {
          assertThat(problem.kind()).isEqualTo(Problem.Kind.STALE_OPEN);
          assertThat(problem.subject()).isEqualTo("at-h2");
          assertThat(problem.reason()).contains("vm has it open on h2");
          assertThat(problem.remedy()).contains("quarry host fence h2");
        });
  }

  @Test
  void nobodyIsGoneWhenNoHostIsKnown() {
    assertThat(found(States.NOON)).isEmpty();
  }

  @Test
  void anUploadIsNoHostsButMayBeForgotten() {
    assertThat(found(States.NOON.plus(Duration.ofHours(25)), "h1", "h2"))
        .extracting(Problem::subject)
        .containsExactly("upload");
  }

  private List<Problem> found(Instant now, String... hostIds) {
    List<Problem> found = new ArrayList<>();
    new AbsentUsers(hosts(hostIds), now).find(state, found);
    return found;
  }

  static List<HostRecord> hosts(String... hostIds) {
    return Stream.of(hostIds)
        .map(id ->
            new HostRecord(
                id, id + "-1", "http://" + id, States.NOON, null, null, null, null, null))
        .toList();
  }
}
