package io.quarry.coordinator.plan;

import java.util.List;

/**
 * An addition to the format of the first logs. A log names its features, so that an agent knows
 * before it reads on whether it understands the log.
 *
 * @param name stable; never used for another feature
 * @param required whether an agent that does not know the feature must not read the log; otherwise
 *     the agent keeps the feature's {@link Extension extensions} unchanged
 */
public record Feature(String name, boolean required) {
  /** Replies hold a digest of the call that they answer. */
  public static final Feature CALL_DIGESTS = new Feature("callDigests", true);

  /** Volumes hold the size and time of their frozen files. */
  public static final Feature WITNESSES = new Feature("witnesses", true);

  /** Opens hold the boot of the host on which an image was opened. */
  public static final Feature BOOT_IDS = new Feature("bootIds", true);

  /**
   * Volumes are extents of a device, and the log says which. Only a new repository can have this
   * feature.
   */
  public static final Feature EXTENTS = new Feature("extents", true);

  /**
   * All volumes are qcow2, whole ones too. A repository whose volumes are extents has this feature
   * from the beginning: a raw volume would take as many extents as its image has bytes.
   */
  public static final Feature THIN_VOLUMES = new Feature("thinVolumes", true);

  /** The features that only a new repository can have, if its format asks for them. */
  public static final List<Feature> OF_NEW_REPOSITORIES = List.of(EXTENTS, THIN_VOLUMES);

  /** The features that every repository can have; a new one begins with all of them. */
  public static final List<Feature> KNOWN = List.of(CALL_DIGESTS, WITNESSES, BOOT_IDS);

  /** Whether this program may use a log that has the feature. */
  public boolean understood() {
    return !required || KNOWN.contains(this) || OF_NEW_REPOSITORIES.contains(this);
  }

  /** The names of features, for messages and registrations. */
  public static List<String> names(List<Feature> features) {
    return features.stream().map(Feature::name).sorted().toList();
  }
}
