package io.quarry.coordinator.log;

import io.quarry.coordinator.plan.Change;
import io.quarry.coordinator.plan.Reply;
import java.time.Instant;
import java.util.List;

/**
 * One commit: all requests that were queued when it was written.
 *
 * @param previous hash of the record before; empty for the first
 * @param term counts the SDMs; a record that begins a term has no entries
 * @param writer host and incarnation of the SDM
 * @param nonce makes every record unique, so that its writer recognises it
 */
public record LogRecord(
    long sequence,
    String previous,
    long term,
    String writer,
    String nonce,
    Instant time,
    List<Entry> entries) {
  public LogRecord {
    entries = List.copyOf(entries);
  }

  /** Of all entries, in their order. */
  List<Change> changes() {
    return entries.stream().flatMap(entry -> entry.changes().stream()).toList();
  }

  /** One request's effect. */
  public record Entry(String requestId, Reply reply, List<Change> changes) {
    public Entry {
      changes = List.copyOf(changes);
    }
  }
}
