"""Slides 3 to 9: unsupervised learning, autoencoders, PCA, documents, few labels."""

from pages.ui.tour.step import Link, Step, link_demo, link_mnist

_ERROR = r"\min_{\theta, \phi} \sum_{i=1}^{n} \left\| x_i - \text{dec}_\theta(\text{enc}_\phi(x_i)) \right\|^2"
_SYMBOLS = {
    r"x_i": "row i of the data, here an image as a vector of pixels",
    r"\text{enc}_\phi": "the encoder, a network with weights φ: from a row to its latent code",
    r"\text{dec}_\theta": "the decoder, a network with weights θ: from a latent code to a reconstruction",
    r"n": "the number of training rows",
}

STEPS = (
    Step(
        "unsupervised",
        "Slide 3",
        "Unsupervised learning",
        "There is no ground truth for the quantity of interest: the data have no labels. Three families of methods "
        "learn from such data: autoencoders, variational autoencoders (VAE) and generative adversarial networks "
        "(GAN). Here they are compared with PCA on the same images.",
        (Link("app.py", "Compare all methods on MNIST", {"data": "mnist", "size": "2"}),),
        look_for="Digits that lie together in a map although no method saw a label. Choose an image: a ring shows its "
        "code, and below the map is what each method reconstructs from this code.",
        picture="autoencoders.draw_methods",
        minutes=3,
        notes="Ask what a label costs in the audience's own field, and name the three families once. The colours of "
        "the maps are often taken for something that was learned: no method was told the digits.",
    ),
    Step(
        "features",
        "Slides 4–5",
        "Autoencoders",
        "Find features that carry the main factors of variation. There is no ground truth for features, so ask that "
        "the data can be reconstructed from them. The features then help to classify, cluster, explore or generate "
        "data.",
        (
            link_mnist("embeddings", "Embeddings: rows with similar codes", size="2"),
            link_mnist("reconstructions", "Reconstructions", size="10"),
        ),
        formulas=(_ERROR,),
        symbols=_SYMBOLS,
        look_for="What is lost in ten dimensions, and what the images with the nearest codes have in "
        "common: features that keep what matters are similar for similar images.",
        picture="autoencoders.draw_code",
        minutes=5,
        notes="Ask what a network with a code of 784 dimensions would learn: the identity. So the code is short. "
        "A number of the code has no meaning of its own; only all of them together describe the image.",
    ),
    Step(
        "linear",
        "Slide 6",
        "Linear autoencoder and PCA",
        "A linear encoder and decoder find the same subspace as PCA. Deeper networks reconstruct better at the same "
        "number of latent dimensions, because they span a curved manifold.",
        (
            link_mnist("reconstructions", "Rotate the linear AE to PCA", section="linear"),
            link_demo("linear", "Gradient descent on the loss surface"),
            link_mnist("reconstructions", "Originals, AE and PCA", section="images", size="30"),
        ),
        formulas=(r"\hat{x} = W_2 W_1 (x - \bar{x}) + \bar{x}",),
        symbols={
            r"\hat{x}": "the reconstruction",
            r"W_1": "the weights of the linear encoder, k × d",
            r"W_2": "the weights of the linear decoder, d × k",
            r"\bar{x}": "the mean of the training rows",
            r"x": "a row with d features",
        },
        look_for="Thin strokes and small loops: PCA blurs them and leaves grey shadows, the AE keeps them. On faces of "
        "people that neither has seen, the two are close.",
        picture="autoencoders.draw_reconstructions",
        minutes=6,
        notes="The subspace is the same, the axes are not: any invertible k × k matrix between them leaves the error "
        "as it is. Ask why the two are close on faces: 32 people are few to learn a curved manifold from.",
    ),
    Step(
        "documents",
        "Slide 7",
        "Documents",
        "The data are word counts instead of pixels. LSA, a truncated SVD of the counts, and an autoencoder compress "
        "them to two dimensions.",
        (
            Link("pages/documents.py", "Reuters, larger", {"data": "reuters-r8", "section": "maps", "size": "2"}),
            Link("pages/documents.py", "Docstrings, to read", {"data": "docstrings", "section": "maps", "size": "2"}),
        ),
        formulas=(r"X \approx U_k \Sigma_k V_k^\top",),
        symbols={
            r"X": "the matrix of tf-idf weights, documents × words",
            r"U_k": "one row of k numbers a document",
            r"\Sigma_k": "the k largest singular values",
            r"V_k^\top": "k topics, each a direction in the space of words",
        },
        look_for="Subjects that overlap with LSA and are apart with the AE. Point at a document in one map: the other "
        "map shows where it is.",
        picture="documents.draw_maps",
        minutes=4,
        notes="Hinton and Salakhutdinov 2006, figure 4: the same comparison on 804,414 stories of another Reuters "
        "collection. Let people name the subjects that LSA leaves on one heap. "
        "The AE was told no subjects either: they are only the colours.",
    ),
    Step(
        "labels",
        "Slide 8",
        "Semi-supervised classification",
        "Many images, few labels: train the autoencoder on all images, add a classifier on its features, and fine-tune "
        "both on the labelled images.",
        (link_mnist("labelled_fraction", "Test error by number of labels"),),
        formulas=(r"\min_{\phi, w} \sum_{i \in L} -\log p_w\left(y_i | \text{enc}_\phi(x_i)\right)",),
        symbols={
            r"L": "the labelled rows, a small share of all training rows",
            r"y_i": "the label of row i",
            r"\text{enc}_\phi": "the encoder: it starts from the autoencoder of all rows",
            r"p_w": "a softmax classifier with weights w",
        },
        look_for="Add labels: the difference between the first bar and the last shrinks. With 1,000 labels or more, "
        "features that are not fine-tuned (the second bar) are worse than a network from scratch.",
        picture="few_labels.draw_stages",
        minutes=6,
        notes="Let people guess the last bar at 1,000 labels before you move the control. Often misunderstood: the "
        "classifier needs no better reconstructions, only features in which the classes are easy to separate.",
    ),
    Step(
        "code-ae",
        "Slide 9",
        "Code: an autoencoder",
        "The notebook of the lecture as it would be written today, on the 8 × 8 digits of scikit-learn: a "
        "convolutional autoencoder with 10 latent dimensions, its training and test error, reconstructions, codes "
        "between two images, and random codes from a fitted Gaussian.",
        (
            link_mnist("training", "The same on MNIST: curves, and a form to train", method="ae", preset="reference"),
            link_mnist("generation", "Interpolation", section="between", size="10"),
        ),
        formulas=(_ERROR,),
        symbols=_SYMBOLS,
        look_for="Curves: while the training error keeps falling, does the test error? Images: compare random codes "
        "with codes between two images.",
        picture="code.draw_autoencoder",
        minutes=5,
        notes="Ask which line would change for a VAE. A common misunderstanding: a low training error says nothing "
        "about new images, which is why the code holds some of them back.",
    ),
)
