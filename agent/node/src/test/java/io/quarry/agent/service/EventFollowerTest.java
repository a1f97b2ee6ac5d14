package io.quarry.agent.service;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.common.api.Event;
import io.quarry.common.api.Json;
import io.quarry.common.model.Limits;
import io.quarry.coordinator.log.LogRecord;
import io.quarry.coordinator.plan.Change;
import io.quarry.coordinator.plan.Reply;
import java.time.Instant;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class EventFollowerTest {
  private static final int ENVELOPE_BYTES = 1024;

  private static LogRecord record(int images) {
    List<Change> changes =
        IntStream.range(0, images)
            .<Change>mapToObj(number -> new Change.DropImage("image-%0100d".formatted(number)))
            .toList();
    var large = new LogRecord.Entry("r-1", new Reply("reap", "host-1", 7), changes);
    var small =
        new LogRecord.Entry(
            "r-2", new Reply("clean", "v-1", 7), List.of(new Change.DropImage("last")));
    return new LogRecord(7, "", 1, "writer", "nonce", Instant.EPOCH, List.of(large, small));
  }

  @Test
  void eventIsLimitedInBytesAndCountsWhatItLeavesOut() throws Exception {
    int images = 60_000;
    Event.Commit event = EventFollower.event("main", record(images));
    assertThat(Json.bytes(event)).isLessThanOrEqualTo(Limits.PAGE_BYTES_MAX + ENVELOPE_BYTES);
    Event.Operation large = event.operations().getFirst();
    assertThat(large.imageIds()).hasSizeGreaterThan(30_000);
    assertThat(large.imageIds().size() + requireNonNull(large.omittedImages())).isEqualTo(images);
    assertThat(event.operations().getLast().omittedImages()).isEqualTo(1);
  }

  @Test
  void eventThatHasRoomLeavesOutNothing() {
    Event.Commit event = EventFollower.event("main", record(2));
    assertThat(event.operations().getFirst().imageIds()).hasSize(2);
    assertThat(event.operations().getLast().imageIds()).containsExactly("last");
    assertThat(event.operations()).extracting(Event.Operation::omittedImages).containsOnlyNulls();
  }
}
