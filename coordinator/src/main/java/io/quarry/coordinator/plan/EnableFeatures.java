package io.quarry.coordinator.plan;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Gives the log features that it lacks. The caller has made sure that all hosts which use the
 * repository know these features: there is no way back.
 */
public record EnableFeatures(List<Feature> features) implements Request {
  public EnableFeatures(@Nullable List<Feature> features) {
    this.features = Checked.list("features", features);
    this.features.forEach(feature -> Checked.name("feature", feature.name()));
  }

  @Override
  public Reply plan(Transaction transaction) {
    for (Feature feature : transaction.state().schema().lacking(features)) {
      if (!Feature.KNOWN.contains(feature) && !isOfANewRepository(feature, transaction.state())) {
        throw PlanErrors.featureUnknown(feature);
      }
      transaction.add(new Change.PutFeature(feature));
    }
    return transaction.reply(this, String.join(",", Feature.names(features)));
  }

  /** Volumes that are files do not become extents of a device. */
  private static boolean isOfANewRepository(Feature feature, RepositoryState state) {
    return Feature.OF_NEW_REPOSITORIES.contains(feature) && state.volumes().isEmpty();
  }
}
