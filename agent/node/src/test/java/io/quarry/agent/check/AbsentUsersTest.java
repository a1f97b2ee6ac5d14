package io.quarry.agent.check;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.common.api.Problem;
import io.quarry.coordinator.cluster.Booted;
import io.quarry.coordinator.cluster.HostRecord;
import io.quarry.coordinator.plan.Change;
import io.quarry.coordinator.plan.HostBoot;
import io.quarry.coordinator.plan.Open;
import io.quarry.coordinator.plan.Open.Layers;
import io.quarry.coordinator.plan.Open.Upload;
import io.quarry.coordinator.plan.Open.User;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Volume.Stage;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** 12.26: the signs that the users of opens are gone, and the remedies. */
final class AbsentUsersTest {
  private static final Instant NOON = States.NOON;
  private static final Duration DAY = Duration.ofDays(1);
  private static final String BOOT = "boot-2";

  private final States states =
      new States()
          .disk("one")
          .volume("one", null, Stage.READY)
          .open("at-h1", "one", "h1", null)
          .open("at-h2", "one", "h2", null);

  @Test
  void userOnNoLiveHostSeemsToBeGone() throws IOException {
    assertThat(found(hosts("h1", "h3")))
        .singleElement()
        .satisfies(problem -> {
          assertThat(problem.kind()).isEqualTo(Problem.Kind.STALE_OPEN);
          assertThat(problem.subject()).isEqualTo("at-h2");
          assertThat(problem.reason()).contains("vm has it open on h2");
          assertThat(problem.remedy()).contains("quarry host fence h2");
        });
  }

  /** While ZooKeeper lists no host, every host would seem to be dead. */
  @Test
  void noUserIsGoneWhenNoHostIsKnown() throws IOException {
    assertThat(found(List.of())).isEmpty();
  }

  @Test
  void openOfAnEarlierBootIsNamed() throws IOException {
    open("before", new HostBoot("key-h1", "boot-1"), NOON);
    open("now", new HostBoot("key-h1", BOOT), NOON);
    assertThat(found(List.of(booted("h1", NOON.minus(DAY)), booted("h2", NOON.minus(DAY)))))
        .singleElement()
        .satisfies(problem -> {
          assertThat(problem.subject()).isEqualTo("before");
          assertThat(problem.reason()).contains("which has booted since");
          assertThat(problem.remedy()).contains("quarry open close --host h1 --dead");
        });
  }

  @Test
  void openOfAnotherMachineOfThatNameIsNamed() throws IOException {
    open("original", new HostBoot("key-of-another", "boot-1"), NOON);
    assertThat(found(List.of(booted("h1", NOON.minus(DAY)), booted("h2", NOON.minus(DAY)))))
        .singleElement()
        .satisfies(problem -> {
          assertThat(problem.subject()).isEqualTo("original");
          assertThat(problem.reason()).contains("another machine has that name");
          assertThat(problem.remedy()).contains("quarry open close --host h1 --dead");
        });
  }

  /** Of opens without a boot, check names only those from before the host booted. */
  @Test
  void openWithoutBootIsNamedWhenItsHostHasBootedSince() throws IOException {
    assertThat(
            found(List.of(booted("h1", NOON.plusSeconds(1)), booted("h2", NOON.minusSeconds(1)))))
        .singleElement()
        .satisfies(problem -> {
          assertThat(problem.subject()).isEqualTo("at-h1");
          assertThat(problem.remedy()).contains("quarry open close --host h1 --dead");
        });
  }

  /** 12.9: an upload that its caller had forgotten blocked its disk, and no report showed it. */
  @Test
  void uploadIsNamedWhenItWasIdleForAnHour() throws IOException {
    States upload = new States().open("upload", "one", "h9", "v-filled");
    RepositoryState state = upload.state();
    assertThat(found(state, hosts("h1"), NOON, NOON.plus(Duration.ofHours(1)))).isEmpty();
    assertThat(found(state, hosts("h1"), NOON, NOON.plus(Duration.ofMinutes(61))))
        .singleElement()
        .satisfies(problem -> {
          assertThat(problem.subject()).isEqualTo("upload");
          assertThat(problem.reason()).contains("since " + NOON, "at " + NOON.plus(DAY));
          assertThat(problem.remedy()).contains("quarry open close REPO upload");
        });
    Instant active = NOON.plus(Duration.ofHours(40));
    assertThat(found(state, hosts("h1"), active, active.plusSeconds(1))).isEmpty();
  }

  private void open(String id, @Nullable HostBoot boot, Instant since) {
    states.put(
        new Change.PutOpen(
            new Open(
                id,
                "one",
                new User("h1", "vm", null, boot),
                true,
                new Layers(List.of(), null),
                Upload.NONE,
                since)));
  }

  private List<Problem> found(List<HostRecord> live) throws IOException {
    return found(states.state(), live, NOON, NOON);
  }

  private static List<Problem> found(
      RepositoryState state, List<HostRecord> live, Instant active, Instant now)
      throws IOException {
    List<Problem> found = new ArrayList<>();
    new AbsentUsers(new OpenReview(() -> live, DAY, () -> now), upload -> active)
        .find(state, found);
    return found;
  }

  static List<HostRecord> hosts(String... hostIds) {
    return Stream.of(hostIds).map(id -> host(id, null)).toList();
  }

  private static HostRecord booted(String id, Instant at) {
    return host(id, new Booted(new HostBoot("key-" + id, BOOT), at));
  }

  private static HostRecord host(String id, @Nullable Booted booted) {
    return new HostRecord(
        id, id + "-1", "http://" + id, NOON, null, null, null, null, null, null, booted);
  }
}
