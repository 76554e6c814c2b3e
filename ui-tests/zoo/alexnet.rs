//! AlexNet (Krizhevsky et al., 2012), as torchvision has it.
//! published: 61,100,840
damper::model! {
    pub Net<classes: usize = 1000>
    input image: [3, 224, 224]
    layers {
        conv1: conv2d(64, kernel = 11, stride = 4, padding = 2) -> relu -> max_pool2d(3, stride = 2);
        conv2: conv2d(192, kernel = 5, padding = 2) -> relu -> max_pool2d(3, stride = 2);
        conv3: conv2d(384, kernel = 3, padding = 1) -> relu;
        conv4: conv2d(256, kernel = 3, padding = 1) -> relu;
        conv5: conv2d(256, kernel = 3, padding = 1) -> relu -> max_pool2d(3, stride = 2);
        fc1:   flatten -> dropout(0.5) -> linear(4096) -> relu;
        fc2:   dropout(0.5) -> linear(4096) -> relu;
        head:  linear(classes);
    }
    loss cross_entropy
}
