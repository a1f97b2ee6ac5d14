package io.quarry.agent.chaos;

import io.quarry.agent.chaos.Arena.Member;
import io.quarry.common.client.ClientSettings;
import io.quarry.common.client.StorageClient;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BooleanSupplier;

/**
 * The state that all customers share.
 *
 * @param snapshots that any customer may make disks of, by repository and id; they may vanish at
 *     any time
 * @param guestsSuffer whether storage faults last in which guests may fail
 */
record SharedWorkload(
    List<String> repositories,
    List<Member> members,
    History history,
    Guest guest,
    Map<String, Owned> snapshots,
    Bait bait,
    BooleanSupplier guestsSuffer) {
  private static final Duration CALL_MAX = Duration.ofSeconds(8);
  private static final Duration ATTEMPT_MAX = Duration.ofMillis(2500);

  static SharedWorkload of(
      List<String> repositories,
      List<Member> members,
      History history,
      Guest guest,
      BooleanSupplier guestsSuffer) {
    return new SharedWorkload(
        repositories, members, history, guest, new ConcurrentHashMap<>(), new Bait(), guestsSuffer);
  }

  /** A client with short time-outs that asks that host first. */
  StorageClient client(int first) {
    List<URI> agents = new ArrayList<>(members.stream().map(Member::agent).toList());
    Collections.rotate(agents, -first);
    return client(agents, CALL_MAX);
  }

  static StorageClient client(Collection<URI> agents, Duration within) {
    return new StorageClient(
        List.copyOf(agents),
        new ClientSettings(
            within,
            ATTEMPT_MAX,
            ClientSettings.DEFAULT.lostTryOver(),
            ClientSettings.DEFAULT.requestIds(),
            ClientSettings.DEFAULT.jitter()));
  }
}
