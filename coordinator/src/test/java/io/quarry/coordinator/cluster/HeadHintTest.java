package io.quarry.coordinator.cluster;

import static io.quarry.coordinator.cluster.Agents.eventually;
import static io.quarry.coordinator.cluster.Agents.millisSince;
import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.coordinator.thread.Deadline;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;

final class HeadHintTest extends ClusterTest {
  @Test
  void replicasHearOfANewHead() throws Exception {
    HeadHint publisher = agents.head(connect());
    HeadHint replica = agents.head(connect());
    publisher.publish(1);
    eventually(() -> replica.head() == 1);

    long start = System.nanoTime();
    publisher.publish(2);
    eventually(() -> replica.head() == 2);
    print("head seen by a replica", millisSince(start));
  }

  @Test
  void theHeadNeverGoesBackUnderTwoPublishers() throws Exception {
    HeadHint first = agents.head(connect());
    HeadHint second = agents.head(connect());
    HeadHint replica = agents.head(connect());
    List<Long> seen = new CopyOnWriteArrayList<>();
    replica.onHeadMoved(seen::add);

    Thread a = Thread.ofPlatform().start(() -> publishAll(first, 1, 2_000));
    Thread b = Thread.ofPlatform().start(() -> publishAll(second, 501, 1_500));
    a.join();
    b.join();

    eventually(() -> replica.head() == 2_000);
    assertThat(seen).isSorted().doesNotHaveDuplicates();
    second.publish(7);
    first.publish(2_001);
    eventually(() -> replica.head() == 2_001 && second.head() == 2_001);
  }

  @Test
  void manyPublicationsBecomeFewWrites() throws Exception {
    ClusterConnection connection = connect();
    HeadHint head = agents.head(connection);
    publishAll(head, 1, 10_000);
    eventually(() -> head.head() == 10_000);

    String path = connection.znodes().head(Agents.KEY).child(Znodes.HEAD_NAME);
    Deadline deadline = Deadline.after(ClusterConnection.CALL_DEADLINE);
    int writes = connection.store().read(deadline, path).orElseThrow().version();
    assertThat(writes).isLessThan(100);
  }

  private static void publishAll(HeadHint head, long from, long to) {
    for (long sequence = from; sequence <= to; sequence++) {
      head.publish(sequence);
    }
  }
}
