package io.quarry.common.api;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** One event of {@code watchEvents}. */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "type")
@JsonSubTypes({
  @JsonSubTypes.Type(value = Event.Start.class, name = "start"),
  @JsonSubTypes.Type(value = Event.Commit.class, name = "commit"),
  @JsonSubTypes.Type(value = Event.Reset.class, name = "reset"),
  @JsonSubTypes.Type(value = Event.Progress.class, name = "progress"),
})
public sealed interface Event {
  /** The id from which the stream goes on at any agent; null when the position is unchanged. */
  @Nullable String eventId();

  /** The same event with another id. */
  Event with(@Nullable String id);

  /** The first event of a stream. The stream tells each commit after this event's id. */
  record Start(@Nullable String eventId) implements Event {
    @Override
    public Start with(@Nullable String id) {
      return new Start(id);
    }
  }

  /**
   * A repository has a new commit. The stream leaves none out, and tells none twice.
   *
   * @param repoId this agent's handle of the repository
   * @param commit the sequence number in the repository's log
   * @param time of the host that committed, for people
   * @param operations in the order in which the SDM planned them; empty when an SDM began its term
   *     or settled an unknown outcome
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
   * @param id the entity that was created or changed
   * @param imageIds the images that look different after the commit
   * @param omittedImages how many more such images there are than an event has room for; null for
   *     none
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
   * The stream cannot tell the commits up to this one. Read the present state, then the events that
   * follow.
   */
  record Reset(@Nullable String eventId, String repoId, long commit) implements Event {
    @Override
    public Reset with(@Nullable String id) {
      return new Reset(id, repoId, commit);
    }
  }

  /** The progress of a task. The stream tells only the latest, and does not replay it. */
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
