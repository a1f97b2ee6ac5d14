package io.quarry.coordinator.log;

import io.quarry.coordinator.plan.Change;
import io.quarry.coordinator.plan.Invariants;
import io.quarry.coordinator.plan.RepositoryState;

/** The repository's state by the log, and the position of its last record. */
public record LogState(RepositoryState repository, Position position) {
  public static final LogState EMPTY = new LogState(RepositoryState.EMPTY, Position.START);

  public long sequence() {
    return position.sequence();
  }

  LogState plus(LogRecord record, String hash) {
    RepositoryState state = repository;
    for (LogRecord.Entry entry : record.entries()) {
      for (Change change : entry.changes()) {
        state = state.apply(change);
      }
      state = state.remember(entry.requestId(), entry.reply());
    }
    assert Invariants.hold(repository, record.changes(), state);
    String writer = record.term() == position.term() ? position.writer() : record.writer();
    return new LogState(state, new Position(record.sequence(), hash, record.term(), writer));
  }
}
