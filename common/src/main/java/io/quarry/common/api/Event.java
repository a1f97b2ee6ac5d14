package io.quarry.common.api;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What {@code watchEvents} tells. */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "type")
@JsonSubTypes({
  @JsonSubTypes.Type(value = Event.Start.class, name = "start"),
  @JsonSubTypes.Type(value = Event.Commit.class, name = "commit"),
  @JsonSubTypes.Type(value = Event.Reset.class, name = "reset"),
  @JsonSubTypes.Type(value = Event.Progress.class, name = "progress"),
})
public sealed interface Event {
  /** After which event the stream goes on, on any agent; null when it goes on as before. */
  @Nullable String eventId();

  /** The same, with the id that came along with it. */
  Event with(@Nullable String id);

  /** The first one: its id says from where on everything is told. */
  record Start(@Nullable String eventId) implements Event {
    @Override
    public Start with(@Nullable String id) {
      return new Start(id);
    }
  }

  /**
   * A repository has a commit more; none is left out, and none is told twice.
   *
   * @param repoId this agent's handle of the repository
   * @param commit the sequence number in the repository's log
   * @param time of the host that committed, for people
   * @param operations in the order in which they were planned; none when an SDM began its term or
   *     settled an unknown outcome
   */
  record Commit(
      @Nullable String eventId,
      String repoId,
      long commit,
      Instant time,
      List<Operation> operations)
      implements Event {
    public Commit {
      operations = List.copyOf(operations);
    }

    @Override
    public Commit with(@Nullable String id) {
      return new Commit(id, repoId, commit, time, operations);
    }
  }

  /**
   * One request's part of a commit.
   *
   * @param operation a verb of the API, or a step of a fix such as {@code finishMend}
   * @param id what was created or changed
   * @param imageIds the images that look different after it
   * @param omittedImages how many more there are, for which an event has no room; null for none
   */
  record Operation(
      String operation,
      String id,
      String requestId,
      List<String> imageIds,
      @Nullable Integer omittedImages) {
    public Operation {
      imageIds = List.copyOf(imageIds);
    }

    public Operation(String operation, String id, String requestId, List<String> imageIds) {
      this(operation, id, requestId, imageIds, null);
    }
  }

  /**
   * Commits up to this one cannot be told any more, or never were: read the present state, and go
   * on with what follows.
   */
  record Reset(@Nullable String eventId, String repoId, long commit) implements Event {
    @Override
    public Reset with(@Nullable String id) {
      return new Reset(id, repoId, commit);
    }
  }

  /** How far a task is now; only the latest is told, and it cannot be replayed. */
  record Progress(TaskInfo task) implements Event {
    @Override
    public @Nullable String eventId() {
      return null;
    }

    @Override
    public Progress with(@Nullable String id) {
      return this;
    }
  }
}
