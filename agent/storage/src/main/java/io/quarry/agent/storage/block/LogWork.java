package io.quarry.agent.storage.block;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.ObjectWriter;
import io.quarry.agent.storage.Checkpoint;
import io.quarry.agent.storage.Claim;
import io.quarry.agent.storage.VolumeLog;
import io.quarry.agent.storage.WorkStore;
import io.quarry.common.api.Json;
import io.quarry.common.api.StorageException;
import io.quarry.coordinator.log.LogState;
import io.quarry.coordinator.plan.ClaimWork;
import io.quarry.coordinator.plan.Epoch;
import io.quarry.coordinator.plan.Epochs;
import io.quarry.coordinator.plan.FixState.Worker;
import io.quarry.coordinator.plan.ForgetWork;
import io.quarry.coordinator.plan.Request;
import io.quarry.coordinator.plan.SaveCheckpoint;
import java.io.IOException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Claims and checkpoints of fixes in the commit log. The log gives an epoch to the worker whose
 * claim it has first. A fix that cannot commit has to wait, as one does whose storage fails: so
 * each failure is an {@link IOException}.
 */
public final class LogWork implements WorkStore {
  /** The part of an error that a checkpoint keeps; each character takes at most 6 bytes of JSON. */
  private static final int ERROR_CHARS_MAX = 1_000;

  /** A part of an error may end in a half of a character. */
  private static final ObjectWriter JSON =
      Json.MAPPER.writer().with(JsonWriteFeature.ESCAPE_NON_ASCII);

  private final VolumeLog log;

  public LogWork(VolumeLog log) {
    this.log = log;
  }

  @Override
  public @Nullable Claim newestClaim(String fixId) throws IOException {
    return claim(epochs().newest(fixId));
  }

  @Override
  public @Nullable Claim claimOf(String fixId, long epoch) throws IOException {
    return claim(epochs().of(fixId, epoch));
  }

  /**
   * The log decides, not the answer: a claim whose answer was lost may be in the log. When the log
   * has no claim of the epoch or of a later one, the request may still be on its way, and the
   * caller tries again.
   *
   * <p>Each call makes a claim of its own. A call that timed out may go on in its thread while the
   * same worker calls again, and only one of the two may write.
   */
  @Override
  public Optional<Claim> claim(String fixId, long epoch, Worker worker, Instant now)
      throws IOException {
    String claimId = UUID.randomUUID().toString();
    try {
      return answer(
          commit(new ClaimWork(fixId, epoch, worker, claimId, now)).of(fixId, epoch), claimId);
    } catch (IOException e) {
      Epochs epochs = epochs();
      Epoch newest = epochs.newest(fixId);
      if (newest == null || newest.epoch() < epoch) {
        throw e;
      }
      return answer(epochs.of(fixId, epoch), claimId);
    }
  }

  /** The epoch is null when a later one has a checkpoint already. */
  private static Optional<Claim> answer(@Nullable Epoch held, String claimId) {
    return Optional.ofNullable(held)
        .filter(epoch -> epoch.claimId().equals(claimId))
        .map(LogWork::claim);
  }

  @Override
  public @Nullable Checkpoint newestCheckpoint(String fixId) throws IOException {
    Epoch newest = epochs().newestWithCheckpoint(fixId);
    return newest == null ? null : Json.MAPPER.readValue(newest.checkpoint(), Checkpoint.class);
  }

  /**
   * A checkpoint that arrives late replaces a newer one of the same epoch. The older one counts
   * fewer bytes, or does not say yet that the epoch is over. Both are safe.
   */
  @Override
  public void save(String fixId, Checkpoint checkpoint) throws IOException {
    String content = content(checkpoint);
    var _ = commit(new SaveCheckpoint(fixId, checkpoint.epoch(), checkpoint.worker(), content));
  }

  @Override
  public void forget(String fixId) throws IOException {
    if (epochs().newest(fixId) != null) {
      var _ = commit(new ForgetWork(fixId));
    }
  }

  @Override
  public List<String> fixes() throws IOException {
    return List.copyOf(epochs().fixes());
  }

  private Epochs epochs() throws IOException {
    try {
      return epochs(log.refresh());
    } catch (StorageException e) {
      throw failure(e);
    }
  }

  /** Returns the epochs after the commit. */
  private Epochs commit(Request request) throws IOException {
    try {
      return epochs(log.commit(request));
    } catch (StorageException e) {
      throw failure(e);
    }
  }

  private static Epochs epochs(LogState state) {
    return state.repository().work().epochs();
  }

  private static IOException failure(StorageException e) {
    return new IOException(e.code() + ": " + e.getMessage(), e);
  }

  private static @Nullable Claim claim(@Nullable Epoch epoch) {
    return epoch == null ? null : new Claim(epoch.worker(), epoch.epoch(), epoch.since());
  }

  private static String content(Checkpoint saved) throws JsonProcessingException {
    return JSON.writeValueAsString(
        new Checkpoint(
            saved.worker(),
            saved.epoch(),
            saved.stage(),
            saved.output(),
            saved.amounts(),
            saved.released(),
            saved.lastError() == null ? null : line(saved.lastError()),
            saved.updatedAt()));
  }

  /** Tools explain their failures at length. */
  private static String line(String error) {
    return error
        .substring(0, Math.min(ERROR_CHARS_MAX, error.length()))
        .replaceAll("\\p{Cntrl}", " ");
  }
}
