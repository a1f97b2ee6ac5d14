package io.quarry.agent.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quarry.common.api.StorageException;
import io.quarry.coordinator.log.CommitHistory.Mark;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class EventCursorTest {
  /** The longest id that the API accepts. */
  private static final int TEXT_CHARS_MAX = 7_000;

  @Test
  void cursorIsReadAsItWasWritten() {
    EventCursor cursor = EventCursor.NOTHING;
    assertThat(EventCursor.parse(cursor.text())).isEqualTo(cursor);
    for (int i = 0; i < EventCursor.REPOSITORIES_MAX; i++) {
      cursor = cursor.with(UUID.randomUUID().toString(), new Mark(i + 1L, "0123456789abcdef"));
    }
    String key = UUID.randomUUID().toString();
    cursor = new EventCursor(cursor.marks().tailMap(cursor.marks().firstKey() + "x"));
    cursor = cursor.with(key, Mark.START).with(key, new Mark(Long.MAX_VALUE, "f".repeat(16)));
    assertThat(EventCursor.parse(cursor.text())).isEqualTo(cursor);
    assertThat(cursor.text().length()).isLessThan(TEXT_CHARS_MAX);
    assertThat(cursor.text()).matches("[A-Za-z0-9_-]+");
    assertThat(EventCursor.parse(EventCursor.NOTHING.with(key, Mark.START).text()).mark(key))
        .isEqualTo(Mark.START);
  }

  @ParameterizedTest
  @ValueSource(strings = {"x", "1", "42", "Ag", "AQE", "AQEBAQEBAQEBAQEB", "nonsense", ""})
  void textThatIsNoIdIsRefused(String text) {
    assertThatThrownBy(() -> EventCursor.parse(text))
        .isInstanceOfSatisfying(
            StorageException.class, refusal -> assertThat(refusal.subject()).isEqualTo("since"));
  }
}
