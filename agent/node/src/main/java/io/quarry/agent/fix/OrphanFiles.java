package io.quarry.agent.fix;

import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Volume;
import io.quarry.coordinator.plan.VolumeName;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Tells files that no reader will ever open from files that a reader may open. The log names a
 * volume before its file exists. So a file is orphaned when a state newer than the file does not
 * know its volume. The claims and checkpoints of a fix are orphaned when the fix's volume is whole
 * or gone.
 */
public final class OrphanFiles {
  /** Precedes the id of a fix in the name for the fix's claims and checkpoints. */
  private static final String FIXES = "fixes/";

  private static final Pattern FIX_ID = Pattern.compile("[a-z]+-([0-9A-Za-z-]{1,128})");

  private OrphanFiles() {}

  /** The name by which the claims and checkpoints of a fix are cleaned. */
  public static String ofFix(String fixId) {
    return FIXES + fixId;
  }

  /** The fix whose claims and checkpoints the name stands for; null for a name of a volume file. */
  static @Nullable String fixOf(String file) {
    return file.startsWith(FIXES) ? file.substring(FIXES.length()) : null;
  }

  /**
   * @param file of a volume, or as {@link #ofFix} gives it
   * @param state read after the file was seen
   */
  public static boolean isOrphan(String file, RepositoryState state) {
    String fixId = fixOf(file);
    if (fixId != null) {
      return isForgotten(fixId, state);
    }
    VolumeName name = VolumeName.parse(file);
    if (name == null) {
      return false;
    }
    Volume volume = state.volumes().get(name.volumeId());
    if (volume == null) {
      return !isFilled(name.volumeId(), state);
    }
    return volume.stage() == Volume.Stage.READY && !file.equals(volume.file());
  }

  /**
   * The clean of a tombstoned volume removes the notes of its fix. An intended volume may still be
   * made.
   */
  private static boolean isForgotten(String fixId, RepositoryState state) {
    Matcher parts = FIX_ID.matcher(fixId);
    if (!parts.matches() || state.fixes().containsKey(fixId)) {
      return false;
    }
    Volume volume = state.volumes().get(parts.group(1));
    return volume == null ? !isFilled(parts.group(1), state) : volume.stage() == Volume.Stage.READY;
  }

  /** Whether an upload fills the volume. The log knows that volume only once it is whole. */
  private static boolean isFilled(String volumeId, RepositoryState state) {
    return state.opens().values().stream().anyMatch(open -> volumeId.equals(open.fills()));
  }
}
