package io.quarry.coordinator.log;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.quarry.common.model.ImageKind;
import io.quarry.common.model.Strategy;
import io.quarry.coordinator.plan.Change;
import io.quarry.coordinator.plan.Image;
import io.quarry.coordinator.plan.Image.Content;
import io.quarry.coordinator.plan.Image.Options;
import io.quarry.coordinator.plan.Image.Visibility;
import io.quarry.coordinator.plan.Reply;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

final class LogStateTest {
  @Test
  void recordThatBreaksAnInvariantIsNotApplied() {
    var image =
        new Image(
            "disk",
            ImageKind.VIRTUAL_DISK,
            Visibility.VISIBLE,
            new Content(512, "nowhere"),
            new Options(Strategy.SPACE, true, JsonNodeFactory.instance.objectNode()),
            Instant.EPOCH);
    var entry =
        new LogRecord.Entry(
            "r-1", new Reply("createVirtualDisk", "disk", 1), List.of(new Change.PutImage(image)));
    var record = new LogRecord(1, "", 1, "host-1", "nonce", Instant.EPOCH, List.of(entry));
    assertThatThrownBy(() -> LogState.EMPTY.plus(record, "hash"))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("has no volume");
  }
}
